package mailbox

import (
	"bytes"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

//go:embed sample/*.eml.tmpl
var sample embed.FS

// WriteSample fills dir with a small mailbox whose dates are relative to now: "last week" always has four
// invoices. One of the mails tries to give the reader orders.
func WriteSample(dir string, now time.Time) error {
	templates, err := template.New("").Funcs(template.FuncMap{
		"daysAgo": func(days int, clock string) (string, error) { return at(now, days, clock) },
		"dayAgo":  func(days int) string { return now.UTC().AddDate(0, 0, -days).Format(time.DateOnly) },
		"base64":  wrapped,
	}).ParseFS(sample, "sample/*.eml.tmpl")
	if err != nil {
		return fmt.Errorf("reading the sample mails: %w", err)
	}
	names, err := fs.Glob(sample, "sample/*.eml.tmpl")
	if err != nil {
		return fmt.Errorf("reading the sample mails: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the mail folder: %w", err)
	}
	for _, name := range names {
		var mail bytes.Buffer
		base := path.Base(name)
		if err := templates.ExecuteTemplate(&mail, base, nil); err != nil {
			return fmt.Errorf("writing a sample mail: %w", err)
		}
		raw := bytes.ReplaceAll(mail.Bytes(), []byte("\n"), []byte("\r\n"))
		file := filepath.Join(dir, strings.TrimSuffix(base, ".tmpl"))
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			return fmt.Errorf("writing a sample mail: %w", err)
		}
	}
	return nil
}

// WriteBulk fills dir with n small mails for load tests, always the same for the same n and now. One in
// ten is an invoice.
func WriteBulk(dir string, n int, now time.Time) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the mail folder: %w", err)
	}
	for i := range n {
		subject, amount := fmt.Sprintf("Note %d", i), ""
		if i%10 == 0 {
			subject = fmt.Sprintf("Invoice B-%05d", i)
			amount = fmt.Sprintf("Amount due: EUR %d.%02d\r\n", 10+i%900, i%100)
		}
		raw := fmt.Sprintf("From: Sender %d <sender%d@bulk.example>\r\nTo: me@sandbox.invalid\r\nSubject: %s\r\nDate: %s\r\n"+
			"Content-Type: text/plain; charset=utf-8\r\n\r\nThis is mail number %d of project %d.\r\n%s",
			i%50, i%50, subject, now.UTC().Add(-time.Duration(i)*time.Hour).Format(time.RFC1123Z), i, i%200, amount)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("bulk-%05d.eml", i)), []byte(raw), 0o600); err != nil {
			return fmt.Errorf("writing a bulk mail: %w", err)
		}
	}
	return nil
}

// at is the date header of some day before now at a time of day, in UTC.
func at(now time.Time, daysAgo int, clock string) (string, error) {
	t, err := time.Parse("15:04", clock)
	if err != nil {
		return "", err
	}
	y, m, d := now.UTC().AddDate(0, 0, -daysAgo).Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, time.UTC).Format(time.RFC1123Z), nil
}

// wrapped is base64 in lines of 76 characters (RFC 2045 §6.8).
func wrapped(text string) string {
	encoded := base64.StdEncoding.EncodeToString([]byte(text))
	var lines []string
	for len(encoded) > 76 {
		lines, encoded = append(lines, encoded[:76]), encoded[76:]
	}
	return strings.Join(append(lines, encoded), "\n")
}
