# systemd's end of $NOTIFY_SOCKET without systemd: listens on the AF_UNIX socket PATH and prints each message as one line, its
# own lines joined by "|". Prints "listening" first. Usage: perl notify-listener.pl PATH
use Socket; $| = 1;
socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die; print "listening\n";
while (defined recv($s, my $message, 65536, 0)) { $message =~ s/\n/|/g; print "$message\n"; }
