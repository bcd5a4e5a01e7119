package arch

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "steward/"

// source is one Go file as far as the rules look at it.
type source struct {
	dir       string // of the package, relative to the root, with slashes
	name      string
	pkg       string // of the package clause
	imports   []string
	lines     int
	inits     int
	comment   bool // has a package comment
	generated bool
	test      bool
}

func (s source) path() string { return path.Join(s.dir, s.name) }

// tree is every Go file below the repository's root.
func tree(t *testing.T) []source {
	t.Helper()
	files, err := parse()
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

var parse = sync.OnceValues(func() (files []source, err error) {
	root := os.DirFS(filepath.Join("..", ".."))
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || ignored(entry.Name())):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := read(name, text)
		files = append(files, file)
		return err
	})
	return files, err
})

// ignored folders hold what others wrote or a build made.
func ignored(folder string) bool {
	return slices.Contains([]string{"bin", "node_modules", "testdata", "vendor"}, folder)
}

func read(name string, text []byte) (source, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return source{}, err
	}
	file := source{
		dir: path.Dir(name), name: path.Base(name), pkg: parsed.Name.Name, lines: bytes.Count(text, []byte("\n")),
		comment: parsed.Doc != nil, generated: ast.IsGenerated(parsed), test: strings.HasSuffix(name, "_test.go"),
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return source{}, err
		}
		file.imports = append(file.imports, imported)
	}
	for _, decl := range parsed.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			file.inits++
		}
	}
	return file, nil
}
