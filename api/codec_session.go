package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"steward/internal/audit"
	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

const (
	codecCookie  = "steward_codec"
	codecSession = 8 * time.Hour // a working day; the cookie opens /codec alone
)

// codecDoor lets a browser into /codec: the Temporal Web UI cannot send a Bearer token of ours, but it
// sends cookies. A ticket in the address is used once and becomes a cookie that scripts cannot read.
type codecDoor struct {
	db      *store.DB
	tickets *auth.Tokens // audience "<public URL>/codec"
	ring    *secret.Ring
	ui      string // Temporal Web UI
	secure  bool   // we are reached over https
}

// pass is what the cookie holds, sealed.
type codecPass struct {
	Owner   string    `json:"owner"`
	Role    auth.Role `json:"role"`
	ID      string    `json:"id"`
	Expires time.Time `json:"expires"`
}

var passBinding = secret.Binding{Owner: "steward", Purpose: "codec.session", Ref: codecCookie}

type openInput struct {
	Ticket string `query:"ticket" required:"true" minLength:"1" maxLength:"8192" doc:"A ticket made by steward codec ticket: valid for minutes, and once." example:"eyJhbGciOiJFZERTQSJ9.e30.c2ln"`
}

type openOutput struct {
	Location string `header:"Location" doc:"The Temporal Web UI." example:"http://127.0.0.1:8233"`
	Cookie   string `header:"Set-Cookie" doc:"The session for /codec: HttpOnly, SameSite=Strict, 8 hours." example:"steward_codec=gAAAAA; Path=/codec; HttpOnly; SameSite=Strict"`
}

func (h *codecDoor) register(api huma.API) {
	handle(api, endpoint{
		Operation: huma.Operation{
			OperationID: "openCodec", Method: http.MethodGet, Path: codecPrefix + "open", Tags: []string{"codec"},
			Summary:       "Let this browser decode payloads",
			Description:   "Takes a ticket that `steward dev` or `steward codec ticket` prints, sets the codec's cookie and goes on to the Temporal Web UI.",
			DefaultStatus: http.StatusSeeOther,
			Errors:        []int{http.StatusUnauthorized},
		},
		access: access{open: true, signIn: true},
	}, h.open)
}

func (h *codecDoor) open(ctx context.Context, in *openInput) (*openOutput, error) {
	p, err := h.tickets.Verify(in.Ticket)
	if err == nil {
		err = p.Require(auth.CodecDecode)
	}
	if err == nil {
		err = h.use(ctx, p)
	}
	if err != nil {
		return nil, err
	}
	value, err := h.seal(codecPass{Owner: p.Owner, Role: p.Role, ID: p.TokenID, Expires: time.Now().Add(codecSession)})
	if err != nil {
		return nil, err
	}
	cookie := http.Cookie{ //nolint:gosec // Secure follows the public URL: steward dev serves plain http on loopback
		Name: codecCookie, Value: value, Path: strings.TrimSuffix(codecPrefix, "/"),
		MaxAge: int(codecSession.Seconds()), HttpOnly: true, Secure: h.secure, SameSite: http.SameSiteStrictMode,
	}
	return &openOutput{Location: h.ui, Cookie: cookie.String()}, nil
}

// use spends a ticket: its audit event exists once, so the second user of the same ticket writes none.
func (h *codecDoor) use(ctx context.Context, p auth.Principal) error {
	return h.db.Tx(ctx, func(q *store.Queries) error {
		seq, err := audit.Append(ctx, q, audit.Event{
			Chain: automation.AuditSystem, Key: audit.PayloadOpened + "/" + p.TokenID, Kind: audit.PayloadOpened, Actor: p.Actor,
		})
		if err == nil && seq == 0 {
			err = fault.New(fault.Unauthorized, "the ticket has been used").WithCode(auth.CodeInvalidToken)
		}
		return err
	})
}

// seal makes the value of a cookie; padding is left out, "=" would have to be quoted.
func (h *codecDoor) seal(pass codecPass) (string, error) {
	doc, err := json.Marshal(pass)
	if err != nil {
		return "", fmt.Errorf("encode codec session: %w", err)
	}
	sealed, err := h.ring.Seal(passBinding, doc)
	return strings.TrimRight(string(sealed), "="), err
}

// session reads the cookie of r; false if there is none that is good.
func (h *codecDoor) session(r *http.Request) (auth.Principal, bool) {
	cookie, err := r.Cookie(codecCookie)
	if err != nil {
		return auth.Principal{}, false
	}
	padded := cookie.Value + strings.Repeat("=", -len(cookie.Value)&3)
	doc, err := h.ring.Open(passBinding, []byte(padded))
	if err != nil {
		return auth.Principal{}, false
	}
	var pass codecPass
	if json.Unmarshal(doc, &pass) != nil || time.Now().After(pass.Expires) {
		return auth.Principal{}, false
	}
	return auth.Principal{
		Owner: pass.Owner, Actor: pass.Owner, Role: pass.Role, Scopes: []auth.Scope{auth.CodecDecode}, Kind: auth.Session,
		TokenID: pass.ID, Expires: pass.Expires,
	}, true
}
