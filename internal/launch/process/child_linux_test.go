package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"steward/internal/secret"
)

// What a child of the tests is asked to try, and what came of it: the texts of error numbers, "" where it could.
type (
	tries struct{ Read, List, Write, Dial []string }
	seen  struct {
		Env, Processes          []string
		User, Parent            int
		Dir, Capabilities       string
		Read, List, Write, Dial map[string]string
		Uring                   string
	}
)

// child is what the test binary is when the tests start it.
func child(mode string, args []string) int {
	switch mode {
	case "look":
		return look()
	case "bomb":
		return bomb()
	case "parent": // of an orphan to be
		return parent(args[0])
	case "orphan":
		return orphan(args[0])
	case "keeper": // starts a confined child for somebody else, who then kills it or reads the child's words
		return keeper(args)
	case "reacher": // the same, with a rule for its connections
		return reacher(args)
	case "dial":
		return dial(args)
	}
	return 9
}

func look() int {
	var t tries
	if err := json.NewDecoder(os.Stdin).Decode(&t); err != nil {
		return 1
	}
	s := seen{Env: os.Environ(), User: os.Getuid(), Parent: os.Getppid(), Read: map[string]string{}, List: map[string]string{}, Write: map[string]string{}, Dial: map[string]string{}}
	s.Dir, _ = os.Getwd()
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "CapEff:"); ok {
			s.Capabilities = strings.TrimSpace(value)
		}
	}
	if entries, err := os.ReadDir("/proc"); err == nil {
		for _, e := range entries {
			if e.Name()[0] >= '0' && e.Name()[0] <= '9' {
				s.Processes = append(s.Processes, e.Name())
			}
		}
	}
	for _, path := range t.Read {
		_, err := os.ReadFile(path)
		s.Read[path] = why(err)
	}
	for _, path := range t.List {
		_, err := os.ReadDir(path)
		s.List[path] = why(err)
	}
	for _, dir := range t.Write {
		s.Write[dir] = why(os.WriteFile(filepath.Join(dir, "written"), []byte("by the child"), 0o666))
	}
	for _, address := range t.Dial {
		var d net.Dialer
		conn, err := d.DialContext(context.Background(), "tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		s.Dial[address] = why(err)
	}
	_, _, errno := syscall.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0)
	s.Uring = errno.Error()
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		return 1
	}
	return 0
}

func why(err error) string {
	if err == nil {
		return ""
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	return err.Error()
}

// bomb starts processes until it cannot.
func bomb() int {
	n := 0
	for ; n < 5000; n++ {
		cmd := exec.CommandContext(context.Background(), "sleep", "600")
		if err := cmd.Start(); err != nil {
			break
		}
	}
	say(fmt.Sprint(n))
	return 0
}

func parent(socket string) int {
	cmd := exec.CommandContext(context.Background(), os.Args[0], "child", "orphan", socket)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return 1
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		return 1
	}
	say("ready")
	return wait()
}

// orphan wants to live for ever. As long as it does, its socket takes connections.
func orphan(socket string) int {
	signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE)
	var c net.ListenConfig
	l, err := c.Listen(context.Background(), "unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	say("listening")
	for {
		conn, err := l.Accept()
		if err != nil {
			return 1
		}
		_ = conn.Close()
	}
}

// keeper passes its own standard files on. Arguments: the folders to write, the command and its arguments.
func keeper(args []string) int {
	spec := Spec{
		Command: args[1], Args: args[2:], Env: map[string]secret.String{"API_KEY": secret.New("s3cret")},
		Sandbox: &Sandbox{Write: filepath.SplitList(args[0])},
	}
	p, err := Start(context.Background(), spec, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() {
		_, _ = p.Stdin.ReadFrom(os.Stdin)
		_ = p.Stdin.Close()
	}()
	if _, err := p.Stdout.WriteTo(os.Stdout); err != nil {
		return 1
	}
	for _, layer := range p.Missing() {
		fmt.Fprintln(os.Stderr, "missing:", layer)
	}
	if p.Wait() != nil {
		return 1
	}
	return 0
}

// reacher starts a child that may reach the first argument alone.
func reacher(args []string) int {
	only := netip.MustParseAddrPort(args[0])
	spec := Spec{Command: args[1], Args: args[2:], Sandbox: &Sandbox{Connect: true, Reach: func(to netip.AddrPort) bool { return to == only }}}
	p, err := Start(context.Background(), spec, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if _, err := p.Stdout.WriteTo(os.Stdout); err != nil || p.Wait() != nil || len(p.Missing()) > 0 {
		fmt.Fprintln(os.Stderr, p.Missing())
		return 1
	}
	return 0
}

// dial tries each address in the ways of programs: it waits in the poller, or in the call itself, or sends at once.
func dial(addresses []string) int {
	for _, text := range addresses {
		var d net.Dialer
		conn, err := d.DialContext(context.Background(), "tcp", text)
		if err == nil {
			_ = conn.Close()
		}
		to, parseErr := netip.ParseAddrPort(text)
		if parseErr != nil {
			return 1
		}
		address := &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
		say(fmt.Sprintf("%s|%s|%s", why(err), blocking(address), sending(address)))
	}
	return local()
}

func blocking(to unix.Sockaddr) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return why(err)
	}
	defer func() { _ = unix.Close(fd) }()
	return why(unix.Connect(fd, to))
}

func sending(to unix.Sockaddr) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return why(err)
	}
	defer func() { _ = unix.Close(fd) }()
	return why(unix.Sendto(fd, []byte("x"), unix.MSG_FASTOPEN, to))
}

// local talks to itself: over a socket in its folder, and by datagrams.
func local() int {
	var c net.ListenConfig
	l, err := c.Listen(context.Background(), "unix", "own")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	packets, err := c.ListenPacket(context.Background(), "udp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for network, address := range map[string]string{"unix": l.Addr().String(), "udp": packets.LocalAddr().String()} {
		var d net.Dialer
		conn, err := d.DialContext(context.Background(), network, address)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		_ = conn.Close()
	}
	say("and itself")
	return 0
}

func say(line string) {
	if _, err := os.Stdout.WriteString(line + "\n"); err != nil {
		os.Exit(5)
	}
}

// wait ends only by a signal.
func wait() int {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	<-c
	return 0
}

const patience = 20 * time.Second
