package files

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"steward/dev/sandbox"
)

// maxKilobytes lets a load test go past every cap a client may have.
const maxKilobytes = 16 << 10

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ."

type makeInput struct {
	Kilobytes int    `json:"kilobytes" jsonschema:"length of the text in units of 1024 bytes"`
	Seed      uint64 `json:"seed,omitempty" jsonschema:"another seed gives another text"`
}

type makeOutput struct {
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256" jsonschema:"of the text, in hexadecimal"`
}

func addMakeText(server *mcp.Server) {
	mcp.AddTool(server, &mcp.Tool{
		Name: "make_text", Title: "Make text",
		Description: "Return text of a given length that hardly compresses, the same for the same seed. For load tests.",
		Annotations: readOnly("Make text"),
		InputSchema: sandbox.InputSchema[makeInput](func(p map[string]*jsonschema.Schema) {
			p["kilobytes"].Minimum, p["kilobytes"].Maximum = new(1.0), new(float64(maxKilobytes))
		}),
	}, makeText)
}

// makeText gives the text once, as content; the structured part only describes it.
func makeText(_ context.Context, _ *mcp.CallToolRequest, in makeInput) (*mcp.CallToolResult, makeOutput, error) {
	text := Text(in.Kilobytes, in.Seed)
	sum := sha256.Sum256([]byte(text))
	res := &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}
	return res, makeOutput{Bytes: len(text), SHA256: hex.EncodeToString(sum[:])}, nil
}

// Text is what make_text returns: 6 random bits in every byte.
func Text(kilobytes int, seed uint64) string {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	random := rand.NewChaCha8(key)
	text := make([]byte, kilobytes<<10)
	for i := 0; i < len(text); i += 8 {
		bits := random.Uint64()
		for j := range 8 {
			text[i+j] = letters[bits>>(8*j)&63]
		}
	}
	return string(text)
}
