# Executes a program with a socket connected to PATH as descriptor 3, as OpenFile= of a unit does (sd_listen_fds(3)).
# Usage: perl pass-socket.pl PATH PROGRAM ARGUMENT...
use Socket; use POSIX (); $^F = 3;
socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die; connect($s, sockaddr_un(shift)) or die;
POSIX::dup2(fileno($s), 3) or die if fileno($s) != 3;
$ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = 1; $ENV{LISTEN_FDNAMES} = 'notify'; exec @ARGV;
