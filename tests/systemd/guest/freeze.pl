# Stops threads of a process as a debugger does, until the process ends: freeze.pl PID NAME
# NAME is that of the threads in /proc/PID/task/TID/comm, without the number at its end.
use strict;
my ($pid, $name) = @ARGV;
my ($ptrace, $seize, $interrupt, $of_threads) = (101, 0x4206, 0x4207, 0x40000000);
my $frozen = 0;
for my $task (glob "/proc/$pid/task/*") {
    open my $file, '<', "$task/comm" or next;
    chomp(my $found = <$file>);
    next unless $found =~ /^$name(-\d+)?$/;
    # A number, since syscall passes the address of a text.
    my $tid = $task =~ /(\d+)$/ && $1 + 0;
    syscall($ptrace, $seize, $tid, 0, 0) == 0 and syscall($ptrace, $interrupt, $tid, 0, 0) == 0 or die "$found: $!";
    $frozen++;
}
die "no thread is called $name\n" unless $frozen;
# Whoever has stopped a thread must also take note of its end.
1 while waitpid(-1, $of_threads) > 0;
