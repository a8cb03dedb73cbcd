# A mail server that takes every mail and writes what it was told to a file: mail_server.pl PORT FILE
use strict;
use IO::Socket::INET;
my ($port, $path) = @ARGV;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port", Listen => 5, ReuseAddr => 1) or die $!;
while (my $client = $server->accept) {
    open my $file, '>>', $path or die $!;
    my $data = 0;
    print $client "220 ready\r\n";
    while (my $line = <$client>) {
        print $file $line;
        $file->flush;
        if ($data) {
            next unless $line eq ".\r\n";
            $data = 0;
            print $client "250 taken\r\n";
        } elsif ($line =~ /^DATA/i) {
            $data = 1;
            print $client "354 go on\r\n";
        } elsif ($line =~ /^QUIT/i) {
            print $client "221 end\r\n";
            last;
        } else {
            print $client "250 fine\r\n";
        }
    }
}
