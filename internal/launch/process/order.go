package process

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// order is what the wrapper is told on a pipe: the arguments of a process can be read by everybody on the machine.
type order struct {
	Path string // absolute
	Args []string
	Env  []string
	Dir  string // absolute; it may change it

	Read       []string // absolute
	Write      []string
	Made       []string // of those, what may be given to it for good
	Connect    bool
	Ports      []uint16
	Supervised bool // connections are looked at

	User                     uint32 // to become; 0: stay who we are
	Namespaces               bool   // the wrapper was born into namespaces of its own
	Memory, Files, Processes uint64
}

// report is the wrapper's answer, before it becomes the child or because it cannot.
type report struct {
	Missing []string `json:"missing"`
	Failed  string   `json:"failed,omitempty"` // what it was doing
	Errno   int      `json:"errno,omitempty"`  // why that failed
}

func newOrder(spec *Spec) order {
	s := spec.Sandbox
	made := append(slices.Clone(s.Made), spec.Dir)
	o := order{
		Path: spec.Command, Args: spec.Args, Env: spec.environment(), Dir: spec.Dir,
		Read: slices.Concat(programs(spec.Command), s.Read), Write: slices.Concat(s.Write, made), Made: made,
		Connect: s.Connect, Ports: s.Ports, Supervised: s.Reach != nil || len(s.Ports) > 0, Memory: s.Memory, Files: s.Files, Processes: s.Processes,
	}
	o.Memory, o.Files, o.Processes = or(o.Memory, defaultMemory), or(o.Files, defaultFiles), or(o.Processes, defaultProcesses)
	return o
}

// programs is what a command needs to run at all: its file, what lies beside it if that is a folder of programs, and
// the same for every program that it may look up.
func programs(command string) []string {
	found := programOf(command)
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.IsAbs(dir) && filepath.Base(dir) == "bin" {
			found = append(found, around(filepath.Join(dir, "any"))[1:]...)
		}
	}
	return slices.DeleteFunc(found, ofSystem)
}

// Installation is what a program needs of the folders around it, wherever its links lead: for a Sandbox whose child
// starts it.
func Installation(program string) []string { return slices.DeleteFunc(programOf(program), ofSystem) }

func programOf(command string) []string {
	found := around(command)
	if end, err := filepath.EvalSymlinks(command); err == nil && end != command {
		found = append(found, around(end)...)
	}
	return found
}

// ofSystem reports whether every child may read path.
func ofSystem(path string) bool {
	return slices.ContainsFunc(system(), func(dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") })
}

// around lists the file and, for …/bin/file, the folders of the same installation: of programs and of libraries,
// never the whole of what lies above, which may be somebody's home.
func around(file string) []string {
	found := []string{file}
	bin := filepath.Dir(file)
	if filepath.Base(bin) != "bin" {
		return found
	}
	for _, name := range []string{"bin", "lib", "lib64", "libexec"} {
		found = append(found, filepath.Join(filepath.Dir(bin), name))
	}
	return found
}

// system is what every program of the machine may read anyway: programs, libraries and settings without secrets.
// Who the machine's users are is not among it.
func system() []string {
	found := []string{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/run/systemd/resolve"}
	for name := range strings.FieldsSeq(`alternatives ca-certificates ca-certificates.conf crypto-policies pki ssl fonts gai.conf
		host.conf hosts ld.so.cache ld.so.conf ld.so.conf.d localtime locale.alias magic mime.types nsswitch.conf os-release
		protocols resolv.conf services timezone`) {
		found = append(found, "/etc/"+name)
	}
	return found
}
