// Package config reads settings from the environment into one struct per package that needs them. It is
// the only place that knows a variable's name; everything else is handed values.
package config

import (
	"path/filepath"
	"slices"
	"time"

	"steward/internal/secret"
)

// Config is every setting. A field of type secret.String may also be given as NAME_FILE, the path of a
// file that holds the value, or in the keys file of the data folder. Names of fields are unique across
// the groups: complaints are traced to their variable by them.
type Config struct {
	Data string `env:"STEWARD_DATA" envDefault:"./.steward" doc:"folder for keys, checkpoints and, under steward dev, PostgreSQL"`

	HTTP     HTTP
	Database Database
	Temporal Temporal
	Model    Model
	Google   Google
	Slack    Slack
	Keys     Keys
	Auth     Auth
	Egress   Egress
	Launch   Launch
	Guard    Guard
	Limits   Limits
	Spending Spending
	Rates    Rates

	stored []string // variables whose value comes from the keys file
}

// KeysPath is where the keys file of the data folder is.
func (c *Config) KeysPath() string { return filepath.Join(c.Data, KeysFile) }

// RingFile is the file that a process follows for a ring of keys: the keys file, or "" when the ring is given
// by the environment, which only a restart can change.
func (c *Config) RingFile(ring string) string {
	if !slices.Contains(c.stored, ring) {
		return ""
	}
	return c.KeysPath()
}

// HTTP is where we listen and how others reach us.
type HTTP struct {
	Listen      string   `env:"STEWARD_LISTEN" envDefault:"127.0.0.1:8000" doc:"address of API and console"`
	PublicURL   string   `env:"STEWARD_PUBLIC_URL" envDefault:"http://127.0.0.1:8000" doc:"how browsers and MCP clients reach this service"`
	Origins     []string `env:"STEWARD_REDIRECT_ORIGINS" doc:"further origins to which a browser may be sent after consent, such as https://app.example.com"`
	DebugListen string   `env:"STEWARD_DEBUG_LISTEN" doc:"address of metrics and pprof, loopback only, such as 127.0.0.1:9090; empty is off"`
}

// Database is PostgreSQL, as two roles.
type Database struct {
	URL        secret.String `env:"DATABASE_URL" doc:"PostgreSQL as the application's role"`
	MigrateURL secret.String `env:"STEWARD_MIGRATE_DATABASE_URL" doc:"PostgreSQL as the role that owns the tables; default DATABASE_URL"`
}

// Temporal is what the SDK's own TEMPORAL_* variables do not say.
type Temporal struct {
	UIURL string `env:"STEWARD_TEMPORAL_UI_URL" envDefault:"http://127.0.0.1:8233" doc:"Temporal Web UI, for links and as the origin that may decode payloads"`
}

// Model is the language model.
type Model struct {
	APIKey  secret.String `env:"OPENAI_API_KEY" doc:"key for the model"`
	BaseURL string        `env:"OPENAI_BASE_URL" doc:"a Responses-compatible endpoint instead of OpenAI's"`
	Default string        `env:"STEWARD_MODEL" doc:"model of runs that name none"`

	Provider string   `env:"STEWARD_MODEL_PROVIDER" envDefault:"auto" doc:"auto, openai, azure, openrouter, ollama, lmstudio, vllm, llamacpp or compatible: what the endpoint can do"`
	Features []string `env:"STEWARD_MODEL_FEATURES" doc:"corrections of that, such as background,-stream; known are background, stream, hosted_mcp, input_tokens, compact"`
	Prices   string   `env:"STEWARD_MODEL_PRICES" doc:"a file with prices that go before the built-in ones"`
	Context  int64    `env:"STEWARD_MODEL_CONTEXT" doc:"tokens that fit into the model; 0 is what the price table says, else 128000"`
}

// Google is our registration with Google.
type Google struct {
	ClientID     string        `env:"GOOGLE_CLIENT_ID" doc:"OAuth client; empty is no Google"`
	ClientSecret secret.String `env:"GOOGLE_CLIENT_SECRET" doc:"its secret"`
	Discovery    string        `env:"STEWARD_GOOGLE_ISSUER" envDefault:"https://accounts.google.com" doc:"where its OpenID configuration is found"`
	APIURL       string        `env:"STEWARD_GOOGLE_API_URL" doc:"base of Gmail and the other APIs instead of Google's own; for an emulator"`
	Credentials  secret.String `env:"GOOGLE_OAUTH_CREDENTIALS" doc:"the JSON file of the OAuth client as Google hands it out, instead of GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET"`
	Logins       []string      `env:"STEWARD_LOGIN_ALLOW" doc:"who may sign in: addresses, @domains, or * for everybody; needed unless STEWARD_PUBLIC_URL is loopback"`
}

// Slack is our registration with Slack.
type Slack struct {
	SlackID     string        `env:"SLACK_CLIENT_ID" doc:"OAuth client; empty is no Slack"`
	SlackSecret secret.String `env:"SLACK_CLIENT_SECRET" doc:"its secret"`
	SlackURL    string        `env:"STEWARD_SLACK_API_URL" doc:"base of Slack's consent page and APIs instead of https://slack.com; for an emulator"`
}

// Guard is what a run may do without asking a person.
type Guard struct {
	Addressees []string `env:"STEWARD_ADDRESSEES_ALLOW" doc:"who may be written to although a run's instructions do not name them: addresses, @domains, hosts"`
}

// Spending bounds what the model may cost. In US dollars; 0 is no limit.
type Spending struct {
	Run       float64 `env:"STEWARD_RUN_COST_USD" doc:"of a run that sets no limit"`
	UserDay   float64 `env:"STEWARD_USER_DAY_COST_USD" doc:"of one user's runs in a day (UTC); then they wait for the next"`
	Day       float64 `env:"STEWARD_DAY_COST_USD" doc:"of everybody's runs in a day (UTC)"`
	DayTokens int64   `env:"STEWARD_USER_DAY_TOKENS" doc:"tokens of one user's runs in a day (UTC)"`
}

// Keys seal and sign. Three rings, so that none opens what another sealed (security.md §5.6).
type Keys struct {
	Secrets secret.String `env:"FERNET_KEYS" doc:"Fernet keys of stored secrets, comma-separated: the first seals, all open"`
	Secret  secret.String `env:"FERNET_KEY" doc:"the same with one key; FERNET_KEYS wins"`
	Codec   secret.String `env:"STEWARD_CODEC_KEYS" doc:"Fernet keys of Temporal payloads; keep old ones for the retention of histories"`
	Audit   secret.String `env:"STEWARD_AUDIT_KEY" doc:"private key (signed note) of audit checkpoints"`
}

// Auth is who may call.
type Auth struct {
	Algorithm  string        `env:"STEWARD_JWT_ALG" envDefault:"EdDSA" doc:"EdDSA, or HS256 with SECRET_KEY"`
	SigningKey secret.String `env:"STEWARD_SIGNING_KEY" doc:"Ed25519 seed of our tokens, 32 bytes in base64"`
	VerifyKeys []string      `env:"STEWARD_VERIFY_KEYS" doc:"further Ed25519 public keys in base64, for rotation"`
	SharedKey  secret.String `env:"SECRET_KEY" doc:"HS256 secret of at least 32 bytes, taken as it is; only with STEWARD_JWT_ALG=HS256"`
	Issuer     string        `env:"STEWARD_JWT_ISSUER" doc:"iss of our tokens; default STEWARD_PUBLIC_URL"`
	Audience   string        `env:"STEWARD_JWT_AUDIENCE" doc:"aud of our tokens; default STEWARD_PUBLIC_URL"`
	Pepper     secret.String `env:"STEWARD_API_KEY_PEPPER" doc:"key of the digests of API keys, 32 bytes in base64"`
}

// Egress is what users may reach; egress.Parse reads it.
type Egress struct {
	Allow []string `env:"STEWARD_EGRESS_ALLOW" doc:"addresses and networks reachable although private, such as 10.1.0.0/16,127.0.0.1; alice=10.2.0.5 is for the user alice alone"`
}

// Launch is how MCP servers that are our own children are installed and started.
type Launch struct {
	Packages string        `env:"STEWARD_PACKAGES" doc:"folder of installed MCP servers, shared by the processes that call them; default packages in STEWARD_DATA"`
	Node     string        `env:"STEWARD_NODE" envDefault:"node" doc:"Node.js for npm packages; npm is found beside it"`
	Python   string        `env:"PYTHON_BIN" envDefault:"python3" doc:"Python for Python packages"`
	MinAge   time.Duration `env:"STEWARD_PACKAGE_MIN_AGE" envDefault:"168h" doc:"how old a release must be to be picked by itself; an exact version that somebody names may be newer"`
}

// Limits bound what one request or run may take.
type Limits struct {
	Queue        int           `env:"STEWARD_QUEUE_LIMIT" envDefault:"1000" doc:"accepted runs waiting for Temporal before 503"`
	Body         int64         `env:"STEWARD_MAX_BODY" envDefault:"1048576" doc:"bytes of a request body"`
	Instructions int           `env:"STEWARD_MAX_INSTRUCTIONS" envDefault:"65536" doc:"bytes of a run's instructions"`
	Steps        int           `env:"STEWARD_RUN_STEPS" envDefault:"40" doc:"steps of a run that sets no limit"`
	Tokens       int64         `env:"STEWARD_RUN_TOKENS" envDefault:"200000" doc:"tokens of a run that sets no limit"`
	Wall         time.Duration `env:"STEWARD_RUN_WALL" envDefault:"30m" doc:"working time of a run that sets no limit, waits for a person excluded"`
	Approval     time.Duration `env:"STEWARD_APPROVAL_EXPIRY" envDefault:"168h" doc:"how long a question waits for a person"`
}

// Rates are calls a minute and principal, streams at once and user.
type Rates struct {
	Create  int `env:"STEWARD_RATE_CREATE" envDefault:"60" doc:"creating calls a minute and user"`
	Read    int `env:"STEWARD_RATE_READ" envDefault:"600" doc:"reading calls a minute and user"`
	PerKey  int `env:"STEWARD_RATE_API_KEY" envDefault:"6000" doc:"calls a minute and API key"`
	Login   int `env:"STEWARD_RATE_LOGIN" envDefault:"5" doc:"sign-ins with a browser a minute and address, behind a proxy its address"`
	MCP     int `env:"STEWARD_RATE_MCP" envDefault:"1200" doc:"requests to /mcp a minute and user"`
	Calls   int `env:"STEWARD_RATE_CALLS" envDefault:"600" doc:"tool calls outside runs a minute and user"`
	Streams int `env:"STEWARD_RATE_STREAMS" envDefault:"20" doc:"event streams at once and user"`
}
