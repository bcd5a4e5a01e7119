package tool

import "steward/internal/secret"

// ArgumentsBinding ties sealed arguments to their call.
func ArgumentsBinding(owner, call string) secret.Binding {
	return secret.Binding{Owner: owner, Purpose: "call.arguments", Ref: call}
}

// ResultBinding ties a sealed result to its call.
func ResultBinding(owner, call string) secret.Binding {
	return secret.Binding{Owner: owner, Purpose: "call.result", Ref: call}
}
