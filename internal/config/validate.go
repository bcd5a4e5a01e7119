package config

import (
	"net"
	"net/url"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"steward/internal/secret"
)

// The algorithms of our own tokens.
const (
	EdDSA = "EdDSA"
	HS256 = "HS256"
)

// Serving lists what API and worker cannot start without.
func Serving() []string {
	return []string{
		"DATABASE_URL", "FERNET_KEYS", "STEWARD_CODEC_KEYS", "STEWARD_SIGNING_KEY", "STEWARD_API_KEY_PEPPER", "STEWARD_AUDIT_KEY",
	}
}

// validate checks what is set; whether it must be set is Load's required.
func (p *problems) validate(cfg *Config) {
	p.absoluteURL("STEWARD_PUBLIC_URL", cfg.HTTP.PublicURL)
	p.absoluteURL("STEWARD_TEMPORAL_UI_URL", cfg.Temporal.UIURL)
	p.absoluteURL("OPENAI_BASE_URL", cfg.Model.BaseURL)
	p.address("STEWARD_LISTEN", cfg.HTTP.Listen)
	p.address("STEWARD_DEBUG_LISTEN", cfg.HTTP.DebugListen)
	if host, _, err := net.SplitHostPort(cfg.HTTP.DebugListen); err == nil && !loopback(host) {
		p.add("STEWARD_DEBUG_LISTEN", "is not a loopback address")
	}
	p.postgres("DATABASE_URL", cfg.Database.URL)
	if !cfg.Database.MigrateURL.Equal(cfg.Database.URL) {
		p.postgres("STEWARD_MIGRATE_DATABASE_URL", cfg.Database.MigrateURL)
	}
	p.keys(cfg)
	p.google(cfg)
	p.slack(cfg)
	for name, n := range map[string]int64{
		"STEWARD_QUEUE_LIMIT": int64(cfg.Limits.Queue), "STEWARD_MAX_BODY": cfg.Limits.Body,
		"STEWARD_MAX_INSTRUCTIONS": int64(cfg.Limits.Instructions), "STEWARD_RUN_STEPS": int64(cfg.Limits.Steps),
		"STEWARD_RUN_TOKENS": cfg.Limits.Tokens, "STEWARD_RUN_WALL": int64(cfg.Limits.Wall),
		"STEWARD_APPROVAL_EXPIRY": int64(cfg.Limits.Approval), "STEWARD_RATE_CREATE": int64(cfg.Rates.Create),
		"STEWARD_RATE_READ": int64(cfg.Rates.Read), "STEWARD_RATE_API_KEY": int64(cfg.Rates.PerKey),
		"STEWARD_RATE_LOGIN": int64(cfg.Rates.Login), "STEWARD_RATE_STREAMS": int64(cfg.Rates.Streams),
		"STEWARD_RATE_MCP": int64(cfg.Rates.MCP), "STEWARD_RATE_CALLS": int64(cfg.Rates.Calls),
	} {
		if n <= 0 && !p.has(name) {
			p.add(name, "must be more than 0")
		}
	}
	if cfg.Launch.MinAge < 0 {
		p.add("STEWARD_PACKAGE_MIN_AGE", "must not be negative")
	}
}

// keys refuses every key under 256 bits, so that a service with a placeholder key does not start.
func (p *problems) keys(cfg *Config) {
	for name, list := range map[string]secret.String{"FERNET_KEYS": cfg.Keys.Secrets, "STEWARD_CODEC_KEYS": cfg.Keys.Codec} {
		if list.IsZero() {
			continue
		}
		if _, err := secret.NewRing(list); err != nil {
			p.add(name, err.Error())
		}
	}
	p.exactKey("STEWARD_SIGNING_KEY", cfg.Auth.SigningKey)
	p.exactKey("STEWARD_API_KEY_PEPPER", cfg.Auth.Pepper)
	for _, key := range cfg.Auth.VerifyKeys {
		p.exactKey("STEWARD_VERIFY_KEYS", secret.New(key))
	}
	switch cfg.Auth.Algorithm {
	case EdDSA:
	case HS256:
		if err := secret.CheckKey([]byte(cfg.Auth.SharedKey.Reveal())); err != nil {
			p.add("SECRET_KEY", err.Error())
		}
	default:
		p.add("STEWARD_JWT_ALG", "is neither EdDSA nor HS256")
	}
	if !cfg.Keys.Audit.IsZero() {
		if _, err := note.NewSigner(cfg.Keys.Audit.Reveal()); err != nil {
			p.add("STEWARD_AUDIT_KEY", "is not the private key of a signed note")
		}
	}
}

// exactKey wants 256 bits: an Ed25519 seed, an Ed25519 public key or the key of an HMAC.
func (p *problems) exactKey(name string, key secret.String) {
	if key.IsZero() {
		return
	}
	switch raw, err := secret.DecodeKey(key); {
	case err != nil:
		p.add(name, err.Error())
	case len(raw) != secret.KeyBytes:
		p.add(name, "the key is not of 256 bits")
	}
}

func (p *problems) absoluteURL(name, text string) {
	u, err := url.Parse(text)
	if text == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil {
		return
	}
	p.add(name, "is not an http or https URL")
}

func (p *problems) address(name, text string) {
	if _, _, err := net.SplitHostPort(text); text != "" && err != nil {
		p.add(name, "is not host:port")
	}
}

func (p *problems) postgres(name string, dsn secret.String) {
	if text := dsn.Reveal(); text != "" && !strings.HasPrefix(text, "postgres://") && !strings.HasPrefix(text, "postgresql://") {
		p.add(name, "is not a postgres:// URL")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
