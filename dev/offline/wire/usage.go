package wire

// Usage counts tokens. They are estimated: this model has no tokenizer.
type Usage struct {
	InputTokens   int           `json:"input_tokens"`
	InputDetails  InputDetails  `json:"input_tokens_details"`
	OutputTokens  int           `json:"output_tokens"`
	OutputDetails OutputDetails `json:"output_tokens_details"`
	TotalTokens   int           `json:"total_tokens"`
}

// InputDetails is always zero: nothing is cached.
type InputDetails struct {
	CachedTokens int `json:"cached_tokens"`
}

// OutputDetails is always zero: nothing is reasoned.
type OutputDetails struct {
	ReasoningTokens int `json:"reasoning_tokens"`
}

const charsPerToken = 4

// Tokens estimates tokens from characters, rounding up.
func Tokens(chars int) int { return (chars + charsPerToken - 1) / charsPerToken }

// NewUsage adds up.
func NewUsage(input, output int) *Usage {
	return &Usage{InputTokens: input, OutputTokens: output, TotalTokens: input + output}
}

// OutputTokens estimates what an output costs.
func OutputTokens(output []Output) int {
	chars := 0
	for _, o := range output {
		chars += o.Item().chars
		for _, part := range o.Content {
			if part.Refusal != nil {
				chars += len([]rune(*part.Refusal))
			}
		}
	}
	return Tokens(chars)
}
