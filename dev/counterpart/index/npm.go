package index

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// NPM is one release of an npm package.
type NPM struct {
	Name, Version string
	Published     time.Time         // zero: long ago
	Manifest      map[string]any    // of package.json, beside name and version
	Files         map[string]string // beside package.json
	Links         map[string]string // symbolic links in the tarball, to where they lead
	Tag           string            // "latest" unless it says otherwise; "-" for none
}

type npmRelease struct {
	NPM
	manifest map[string]any
}

// PutNPM publishes a release.
func (x *Index) PutNPM(t testing.TB, p NPM) {
	t.Helper()
	manifest := map[string]any{"name": p.Name, "version": p.Version}
	maps.Copy(manifest, p.Manifest)
	tarball := pack(t, p, manifest)
	sum := sha512.Sum512(tarball)
	file := tarballName(p.Name, p.Version)
	served := maps.Clone(manifest)
	served["dist"] = map[string]any{
		"tarball": x.Tarball(p.Name, p.Version), "integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
	}
	if scripts, ok := manifest["scripts"].(map[string]any); ok && (scripts["install"] != nil || scripts["preinstall"] != nil || scripts["postinstall"] != nil) {
		served["hasInstallScript"] = true
	}
	if p.Published.IsZero() {
		p.Published = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.files[file] = tarball
	if x.npm[p.Name] == nil {
		x.npm[p.Name] = map[string]npmRelease{}
	}
	x.npm[p.Name][p.Version] = npmRelease{p, served}
}

// Replace puts other bytes behind the address of a release, whose announced integrity stays.
func (x *Index) Replace(name, version string, content []byte) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.files[tarballName(name, version)] = content
}

// Tarball is the address of a release's files.
func (x *Index) Tarball(name, version string) string {
	return x.server.URL + "/files/" + tarballName(name, version)
}

func tarballName(name, version string) string {
	return name + "/" + path.Base(name) + "-" + version + ".tgz"
}

func pack(t testing.TB, p NPM, manifest map[string]any) []byte {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	doc, err := json.MarshalIndent(manifest, "", "  ")
	require.NoError(t, err)
	files := map[string]string{"package.json": string(doc)}
	maps.Copy(files, p.Files)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		require.NoError(t, archive.WriteHeader(&tar.Header{Name: "package/" + name, Mode: 0o644, Size: int64(len(files[name]))}))
		_, err := archive.Write([]byte(files[name]))
		require.NoError(t, err)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Links)) {
		require.NoError(t, archive.WriteHeader(&tar.Header{Name: "package/" + name, Typeflag: tar.TypeSymlink, Linkname: p.Links[name], Mode: 0o777}))
	}
	require.NoError(t, archive.Close())
	require.NoError(t, zipped.Close())
	return out.Bytes()
}

// packument answers GET /npm/<name>, the whole document of a package.
func (x *Index) packument(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	releases := x.npm[r.PathValue("name")]
	if len(releases) == 0 {
		http.Error(w, `{"error":"Not found"}`, http.StatusNotFound)
		return
	}
	versions, times, tags := map[string]any{}, map[string]time.Time{}, map[string]string{}
	for version, release := range releases {
		versions[version], times[version] = release.manifest, release.Published
		switch release.Tag {
		case "-":
		case "":
			if at, ok := times[tags["latest"]]; !ok || !release.Published.Before(at) {
				tags["latest"] = version
			}
		default:
			tags[release.Tag] = version
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"name": r.PathValue("name"), "dist-tags": tags, "versions": versions, "time": times}) // fails only if the caller has gone
}
