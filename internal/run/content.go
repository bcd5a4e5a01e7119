// Package run is what people may do with runs: start, cancel, decide; and what keeps accepted runs going
// when nobody looks: the starter and the reconciler.
package run

import "steward/internal/secret"

// InstructionsBinding ties sealed instructions to their run, by workflow id: the row's own id is not
// known before it is inserted.
func InstructionsBinding(owner, workflowID string) secret.Binding {
	return secret.Binding{Owner: owner, Purpose: "run.instructions", Ref: workflowID}
}

// OutputBinding ties a run's sealed output to it.
func OutputBinding(owner, workflowID string) secret.Binding {
	return secret.Binding{Owner: owner, Purpose: "run.output", Ref: workflowID}
}
