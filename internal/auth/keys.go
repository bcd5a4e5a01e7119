package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"log/slog"
	"slices"
	"time"

	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

// MaxKeyTTL is the longest life of an API key. Two keys may live side by side, so that a backend can
// change over without a pause.
const MaxKeyTTL = 90 * 24 * time.Hour

// touchAfter is how old last_used_at must be to be written again.
const touchAfter = time.Minute

// Keys issues, verifies and revokes API keys. Only an HMAC of a key is stored: a slow hash is for
// passwords, 256 random bits need none.
type Keys struct {
	queries *store.Queries
	pepper  []byte
	log     *slog.Logger
	now     func() time.Time
	rows    *cache[*store.APIKey]
}

// NewKeys refuses a pepper of less than 256 bits.
func NewKeys(queries *store.Queries, pepper secret.String, log *slog.Logger) (*Keys, error) {
	if queries == nil || log == nil {
		return nil, errors.New("api keys need a database and a logger")
	}
	raw, err := secret.DecodeKey(pepper)
	if err != nil {
		return nil, err
	}
	return &Keys{queries: queries, pepper: raw, log: log, now: time.Now, rows: newCache[*store.APIKey](time.Now)}, nil
}

// KeyGrant is what a new API key may do.
type KeyGrant struct {
	Name      string
	Role      Role          // service, operator or auditor; people sign in instead
	Tenants   []string      // owners it acts for, or AnyTenant alone
	Scopes    []Scope       // empty: all of the role
	TTL       time.Duration // 0: MaxKeyTTL
	CreatedBy string        // the actor
}

// Key describes an API key. Its text is not kept.
type Key struct {
	ID, Name  string
	Role      Role
	Tenants   []string
	Scopes    []Scope
	CreatedBy string
	CreatedAt time.Time
	ExpiresAt time.Time
	LastUsed  *time.Time // to the minute
	RevokedAt *time.Time
}

// Create stores a new key and returns its text, which cannot be had again.
func (k *Keys) Create(ctx context.Context, g KeyGrant) (secret.String, Key, error) {
	if g.TTL == 0 {
		g.TTL = MaxKeyTTL
	}
	if err := g.check(); err != nil {
		return secret.String{}, Key{}, err
	}
	id, text, err := newKeyText()
	if err != nil {
		return secret.String{}, Key{}, err
	}
	scopes := make([]string, len(g.Scopes))
	for i, s := range g.Scopes {
		scopes[i] = string(s)
	}
	row, err := k.queries.CreateAPIKey(ctx, store.CreateAPIKeyParams{
		ID: id, Name: g.Name, MAC: k.digest(text.Reveal()), Role: string(g.Role), Tenants: g.Tenants, Scopes: scopes,
		CreatedBy: g.CreatedBy, ExpiresAt: k.now().Add(g.TTL),
	})
	if err != nil {
		return secret.String{}, Key{}, unavailable(err)
	}
	return text, describe(row), nil
}

func (g KeyGrant) check() error {
	switch {
	case g.Name == "" || len(g.Name) > 100:
		return fault.InvalidField("name", "must be 1 to 100 bytes")
	case g.CreatedBy == "":
		return fault.InvalidField("created_by", "must not be empty")
	case g.Role != Service && g.Role != Operator && g.Role != Auditor:
		return fault.InvalidField("role", "must be service, operator or auditor")
	case g.TTL < 0 || g.TTL > MaxKeyTTL:
		return fault.InvalidField("ttl", "must be at most 90 days")
	case len(g.Tenants) == 0:
		return fault.InvalidField("tenants", "must name at least one user")
	case len(g.Tenants) > 1 && slices.Contains(g.Tenants, AnyTenant):
		return fault.InvalidField("tenants", "%q stands alone", AnyTenant)
	}
	for _, tenant := range g.Tenants {
		if tenant != AnyTenant && !validOwner(tenant) {
			return fault.InvalidField("tenants", "must be 1 to %d printable characters each", maxOwner)
		}
	}
	for _, s := range g.Scopes {
		if !slices.Contains(granted[g.Role], s) {
			return fault.InvalidField("scopes", "must be scopes of the role %s", g.Role)
		}
	}
	return nil
}

// List returns all keys, newest first, the revoked and expired ones too.
func (k *Keys) List(ctx context.Context) ([]Key, error) {
	rows, err := k.queries.ListAPIKeys(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	keys := make([]Key, len(rows))
	for i := range rows {
		keys[i] = describe(rows[i])
	}
	return keys, nil
}

// Revoke ends a key: at once in this process, within seconds in others. Doing it again changes nothing.
func (k *Keys) Revoke(ctx context.Context, id string) error {
	n, err := k.queries.RevokeAPIKey(ctx, id)
	k.rows.put(id, &store.APIKey{})
	switch {
	case err != nil:
		return unavailable(err)
	case n == 0:
		return fault.New(fault.NotFound, "no such API key")
	}
	return nil
}

// verify returns the principal of a key, without an owner yet.
func (k *Keys) verify(ctx context.Context, text string) (Principal, error) {
	id, err := parseKeyText(text)
	if err != nil {
		return Principal{}, refused(err)
	}
	row, err := k.row(ctx, id)
	if err != nil {
		return Principal{}, err
	}
	switch {
	case !hmac.Equal(row.MAC, k.digest(text)): // an absent row has no digest, which equals none
		return Principal{}, refused(errors.New("unknown API key"))
	case row.RevokedAt != nil:
		return Principal{}, refused(errors.New("revoked API key"))
	case !k.now().Before(row.ExpiresAt):
		return Principal{}, refused(errors.New("expired API key"))
	}
	key := describe(row)
	scopes := key.Role.narrow(key.Scopes)
	return Principal{
		Actor: "apikey:" + id, Role: key.Role, Scopes: slices.DeleteFunc(scopes, func(s Scope) bool { return s == RunsApprove }),
		Kind: APIKey, TokenID: id, Tenants: row.Tenants, Expires: row.ExpiresAt,
	}, nil
}

// row returns the stored key, an empty one if there is none.
func (k *Keys) row(ctx context.Context, id string) (*store.APIKey, error) {
	if row, ok := k.rows.get(id); ok {
		return row, nil
	}
	row, err := k.queries.GetAPIKey(ctx, id)
	if store.IsNoRows(err) {
		return &store.APIKey{}, nil // not remembered: a stranger must not push out keys in use
	}
	if err != nil {
		return nil, unavailable(err)
	}
	if row.LastUsedAt == nil || k.now().Sub(*row.LastUsedAt) > touchAfter {
		if err := k.queries.TouchAPIKey(ctx, id); err != nil {
			k.log.WarnContext(ctx, "last use of an API key not recorded", "key", id, "error", err)
		}
	}
	k.rows.add(id, row)
	return row, nil
}

func (k *Keys) digest(text string) []byte {
	mac := hmac.New(sha256.New, k.pepper)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func describe(row *store.APIKey) Key {
	scopes := make([]Scope, len(row.Scopes))
	for i, s := range row.Scopes {
		scopes[i] = Scope(s)
	}
	return Key{
		ID: row.ID, Name: row.Name, Role: Role(row.Role), Tenants: row.Tenants, Scopes: scopes, CreatedBy: row.CreatedBy,
		CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt, LastUsed: row.LastUsedAt, RevokedAt: row.RevokedAt,
	}
}

// unavailable is the answer while the database is away: nobody is let in unchecked.
func unavailable(err error) error {
	return fault.Wrap(err, fault.Unavailable, "credentials cannot be checked at the moment")
}
