package index

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Wheel is one release of a pure Python package.
type Wheel struct {
	Name, Version  string
	RequiresPython string            // such as ">=3.9"
	Requires       []string          // requirements
	Files          map[string]string // below site-packages
	Scripts        map[string]string // console scripts: name to module:function
	Source         bool              // published as a source distribution alone, which runs code when it is installed
}

type wheelFile struct {
	name, sha256, requires string
}

var separators = regexp.MustCompile(`[-_.]+`)

// PutWheel publishes a release.
func (x *Index) PutWheel(t testing.TB, p Wheel) {
	t.Helper()
	base := separators.ReplaceAllString(p.Name, "_") + "-" + p.Version
	name, content := base+"-py3-none-any.whl", zipped(t, p, base+".dist-info/")
	if p.Source {
		name, content = base+".tar.gz", []byte("not looked at")
	}
	sum := sha256.Sum256(content)
	project := strings.ToLower(separators.ReplaceAllString(p.Name, "-"))
	x.mu.Lock()
	defer x.mu.Unlock()
	x.files[name] = content
	x.wheels[project] = append(x.wheels[project], wheelFile{name: name, sha256: hex.EncodeToString(sum[:]), requires: p.RequiresPython})
}

func zipped(t testing.TB, p Wheel, info string) []byte {
	metadata := fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\n", p.Name, p.Version)
	if p.RequiresPython != "" {
		metadata += "Requires-Python: " + p.RequiresPython + "\n"
	}
	for _, r := range p.Requires {
		metadata += "Requires-Dist: " + r + "\n"
	}
	files := map[string]string{
		info + "METADATA": metadata,
		info + "WHEEL":    "Wheel-Version: 1.0\nGenerator: steward\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
	}
	if len(p.Scripts) > 0 {
		scripts := "[console_scripts]\n"
		for _, name := range slices.Sorted(maps.Keys(p.Scripts)) {
			scripts += name + " = " + p.Scripts[name] + "\n"
		}
		files[info+"entry_points.txt"] = scripts
	}
	maps.Copy(files, p.Files)
	record := ""
	for _, name := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256([]byte(files[name]))
		record += fmt.Sprintf("%s,sha256=%s,%d\n", name, base64.RawURLEncoding.EncodeToString(sum[:]), len(files[name]))
	}
	files[info+"RECORD"] = record + info + "RECORD,,\n"
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := archive.Create(name)
		require.NoError(t, err)
		_, err = w.Write([]byte(files[name]))
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	return out.Bytes()
}

// project answers GET /simple/<name>/ in JSON (PEP 691) to who accepts it, else in HTML (PEP 503).
func (x *Index) project(w http.ResponseWriter, r *http.Request) {
	const asJSON = "application/vnd.pypi.simple.v1+json"
	x.mu.Lock()
	defer x.mu.Unlock()
	name := r.PathValue("name")
	files := x.wheels[name]
	if len(files) == 0 {
		http.NotFound(w, r)
		return
	}
	if strings.Contains(r.Header.Get("Accept"), asJSON) {
		list := make([]map[string]any, len(files))
		for i, f := range files {
			list[i] = map[string]any{"filename": f.name, "url": "/files/" + f.name, "hashes": map[string]string{"sha256": f.sha256}}
			if f.requires != "" {
				list[i]["requires-python"] = f.requires
			}
		}
		w.Header().Set("Content-Type", asJSON)
		_ = json.NewEncoder(w).Encode(map[string]any{"meta": map[string]string{"api-version": "1.0"}, "name": name, "files": list}) // fails only if the caller has gone
		return
	}
	w.Header().Set("Content-Type", "text/html")
	for _, f := range files {
		_, _ = fmt.Fprintf(w, "<a href=\"/files/%s#sha256=%s\" data-requires-python=\"%s\">%s</a>\n", f.name, f.sha256, html.EscapeString(f.requires), f.name)
	}
}
