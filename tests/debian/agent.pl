# Runs what machine.py asks for, inside the machine. Owns the port between them.
#
# A request is a line `NUMBER KIND LENGTH ARGUMENTS`, and LENGTH bytes:
#   run SECONDS      the bytes are a script for bash
#   put MODE PATH    the bytes are the content of the file PATH
# The answer is a line `NUMBER CODE LENGTH LENGTH`, then standard output and standard error. Requests run
# beside each other; an answer comes when its request has ended.
use strict;
use warnings;
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp;

$SIG{CHLD} = 'IGNORE';
my $lock = File::Temp->new;
my ($path) = glob '/dev/vport*p*';
open my $port, '+<', $path or die "$path: $!";
binmode $port;

sub receive {
    my ($length) = @_;
    my $bytes = '';
    while (length $bytes < $length) {
        my $count = sysread $port, $bytes, $length - length $bytes, length $bytes;
        # Nobody is at the other end for now.
        select undef, undef, undef, 0.05 unless $count;
    }
    return $bytes;
}

sub answer {
    my ($number, $code, $out, $err) = @_;
    my $bytes = sprintf("%d %d %d %d\n", $number, $code, length $out, length $err) . $out . $err;
    open my $own, '<', $lock->filename or die $!;
    flock $own, LOCK_EX;
    for (my $at = 0; $at < length $bytes;) {
        my $count = syswrite $port, $bytes, 65536, $at;
        defined $count ? $at += $count : select undef, undef, undef, 0.05;
    }
}

sub content {
    my ($file) = @_;
    seek $file, 0, 0;
    local $/;
    return <$file> // '';
}

sub run {
    my ($script, $seconds) = @_;
    local $SIG{CHLD} = 'DEFAULT';
    my ($out, $err) = (File::Temp->new, File::Temp->new);
    my $pid = fork // die $!;
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $out;
        open STDERR, '>&', $err;
        exec 'timeout', '-k', '1', $seconds, 'bash', '-c', $script;
    }
    waitpid $pid, 0;
    return ($? & 127 ? 128 + ($? & 127) : $? >> 8, content($out), content($err));
}

sub put {
    my ($bytes, $mode, $path) = @_;
    make_path(dirname $path);
    # Another name first, so that the file may be a program that runs.
    open my $file, '>', "$path.new" or return (1, '', "$path: $!");
    binmode $file;
    print $file $bytes;
    close $file and chmod oct $mode, "$path.new" and rename "$path.new", $path or return (1, '', "$path: $!");
    return (0, '', '');
}

while (1) {
    my $line = '';
    $line .= receive(1) until $line =~ /\n/;
    my ($number, $kind, $length, $arguments) = $line =~ /^(\d+) (\w+) (\d+) (.*)$/ or die $line;
    my $bytes = receive($length);
    next if fork;
    answer($number, $kind eq 'run' ? run($bytes, $arguments) : put($bytes, split / /, $arguments, 2));
    # Without the destructors, which would delete the parent's lock.
    require POSIX;
    POSIX::_exit(0);
}
