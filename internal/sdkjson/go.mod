// What go-sdk decodes JSON with: dev/adr/0004-json-of-the-mcp-sdk.md.
module github.com/segmentio/encoding

go 1.26

require github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875
