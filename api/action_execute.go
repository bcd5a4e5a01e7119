package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/auth"
	"steward/internal/tool"
)

type executeBody struct {
	UserID   string `json:"user_id,omitempty" maxLength:"255" doc:"For callers with an API key: for whom, and whose connections and secrets are used." example:"user_123"`
	Username string `json:"username,omitempty" maxLength:"255" doc:"The same as user_id." example:"user_123"`
	Action   string `json:"action" minLength:"1" maxLength:"256" doc:"The tool, as GET /api/tools names it." example:"DB_QUERY_db_abc123"`
	Params   object `json:"params,omitempty" doc:"Its arguments, as its inputSchema wants them; absent: none."`
}

type executeInput struct {
	Caller

	IdempotencyKey string `header:"Idempotency-Key" maxLength:"257" doc:"Any visible ASCII, at most 255 bytes. For 24 hours the same key with the same call returns what was answered; with another call it is refused." example:"9f1c2d3e-summary"`
	Body           executeBody
}

type executedBody struct {
	Success   bool   `json:"success" doc:"false: the tool itself says that it failed." example:"true"`
	Result    any    `json:"result,omitempty" doc:"What the tool answered: rows of a query, the structured result, text, or the list of content parts where they are not only text."`
	Truncated bool   `json:"truncated,omitempty" doc:"true: there is more than the result holds; about says why." example:"false"`
	About     object `json:"about,omitempty" doc:"What the tool says about its result, such as the columns of rows and how many there are."`
	Error     string `json:"error,omitempty" doc:"What the tool says went wrong." example:"relation \"campaign\" does not exist"`
	CallID    string `json:"call_id" doc:"The call, as the audit log and GET /mcp/tool/calls/{id} have it." example:"call_6ZV5Q2P7HGUS4YTNQWX3DKEMLA"`
}

type executeOutput struct {
	Replayed string `header:"Idempotency-Replayed" doc:"true when the key was known: this is the earlier call's answer." example:"true"`
	Body     executedBody
}

func (h *actions) registerExecute(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "executeTool", Method: http.MethodPost, Path: "/api/tools/execute", Tags: []string{"tools"},
			Summary: "Call any tool",
			Description: "What may change something is written down before it is sent, and sent once: an answer that was lost is 502 with code `outcome_unknown` " +
				"and `call_id`, never a plain failure. A tool that ran and says that it failed is 200 with `success: false`. Arguments are checked against the " +
				"tool's input schema first: 422 names each at `body.params.<name>`. When a consent is missing: 403 with code `consent_required` and " +
				"`connect_url`. A call goes on when its caller hangs up; send an Idempotency-Key to be able to ask for the answer again.",
			Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusBadGateway},
		},
		access: access{scope: auth.ToolsCall, calls: true},
		asks: executeBody{
			UserID: "user_123", Action: exampleQuery,
			Params: object(`{"query":"SELECT campaign_name, spend, clicks FROM campaigns WHERE date >= CURRENT_DATE - INTERVAL '7 days'"}`),
		},
		answers: executedBody{
			Success: true, CallID: "call_6ZV5Q2P7HGUS4YTNQWX3DKEMLA",
			Result: json.RawMessage(`[{"campaign_name":"Black Friday","spend":5000,"clicks":15000},{"campaign_name":"Holiday Sale","spend":3000,"clicks":8000}]`),
			About:  object(`{"columns":["campaign_name","spend","clicks"],"row_count":2,"truncated":false}`),
		},
	}, h.execute)
}

func (h *actions) execute(ctx context.Context, in *executeInput) (*executeOutput, error) {
	p, err := principalNamed(ctx, in.Body.UserID, in.Body.Username)
	if err != nil {
		return nil, err
	}
	d, err := directly(p, in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	d.Function, d.Arguments, d.Where = in.Body.Action, json.RawMessage(in.Body.Params), "body.params"
	done, err := h.executor.Direct(context.WithoutCancel(ctx), d) // see directly
	if err != nil {
		holder, known := h.connections.Holder(in.Body.Action)
		if !known { // a server's tool
			holder = in.Body.Action
		}
		return nil, h.links.explain(p.Owner, holder, err)
	}
	return &executeOutput{Replayed: replayed(done.Replayed), Body: executed(done)}, nil
}

// executed is an answer in seed 002's form.
func executed(d *tool.Done) executedBody {
	answered := called(d)
	out := executedBody{Success: answered.Success, Error: answered.Error, CallID: answered.CallID}
	switch {
	case d.IsError:
	case d.Result != nil:
		out.Result = answered.Data.Content
	default:
		out.Result, out.About, out.Truncated = parted(d)
	}
	return out
}

// parted takes the answer itself out of what is said about it, where the tool has both.
func parted(d *tool.Done) (answer any, about object, truncated bool) {
	if !json.Valid([]byte(d.Text)) {
		return d.Text, nil, false
	}
	whole := json.RawMessage(d.Text)
	var members map[string]json.RawMessage
	if d.Answer == "" || json.Unmarshal(whole, &members) != nil || members[d.Answer] == nil {
		return whole, nil, false
	}
	answer = members[d.Answer]
	delete(members, d.Answer)
	_ = json.Unmarshal(members["truncated"], &truncated) // absent or of another kind: it is not said
	about, err := json.Marshal(members)
	if err != nil {
		return whole, nil, false
	}
	return answer, about, truncated
}
