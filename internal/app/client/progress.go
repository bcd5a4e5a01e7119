package client

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"steward/internal/automation"
	"steward/internal/tool"
)

// Tell shows how far the model has got in one line, which each call and the next event write over. Where lines
// stay, in files and pipes, it writes nothing.
func (t *Timeline) Tell(p automation.Progress) error {
	if !t.live {
		return nil
	}
	if err := t.erase(); err != nil {
		return err
	}
	words := strings.Fields(tool.Clean(doing(p), longestProgress)) // a line break would stay
	text := line("", p.Step, strings.Join(words, " "))
	t.shown = utf8.RuneCountInString(text)
	_, err := io.WriteString(t.w, text)
	return err
}

// longestProgress keeps the line within a terminal of 80 columns: one that wraps cannot be written over.
const longestProgress = 54

// erase makes room where the line of progress stands.
func (t *Timeline) erase() error {
	if t.shown == 0 {
		return nil
	}
	_, err := fmt.Fprintf(t.w, "\r%s\r", strings.Repeat(" ", t.shown))
	t.shown = 0
	return err
}

func doing(p automation.Progress) string {
	text := "the model is " + p.Doing
	switch p.Doing {
	case "preparing", "compacting":
		text = p.Doing
	case "waiting":
		text = "waits for the model"
	case "writing":
		text += map[string]string{"message": " its answer", "function_call": " a call", "mcp_call": " a call"}[p.Item]
	}
	if p.Characters > 0 {
		text += fmt.Sprintf(", %d characters", p.Characters)
	}
	return text
}

// terminal reports whether w shows what is written over.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
