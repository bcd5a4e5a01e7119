package config

import (
	"encoding/json"
	"net/url"

	"steward/internal/secret"
)

// googleClient takes the OAuth client out of the file that Google hands out, where the two settings of its own
// do not say otherwise. A complaint does not repeat what the file holds.
func (p *problems) googleClient(cfg *Config) {
	if cfg.Google.Credentials.IsZero() {
		return
	}
	type client struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	var file struct {
		Web       client `json:"web"`
		Installed client `json:"installed"`
	}
	err := json.Unmarshal([]byte(cfg.Google.Credentials.Reveal()), &file)
	if err != nil || file.Web.ID == "" || file.Web.Secret == "" {
		reason := "is not the JSON of an OAuth client"
		if file.Installed.ID != "" {
			reason = "is the OAuth client of a desktop application: make one for a web application"
		}
		p.add("GOOGLE_OAUTH_CREDENTIALS", reason)
		return
	}
	if cfg.Google.ClientID == "" {
		cfg.Google.ClientID = file.Web.ID
	}
	if cfg.Google.ClientSecret.IsZero() && cfg.Google.ClientID == file.Web.ID {
		cfg.Google.ClientSecret = secret.New(file.Web.Secret)
	}
}

// google checks what signing in needs. Codes, secrets and tokens go to the two addresses.
func (p *problems) google(cfg *Config) {
	for _, origin := range cfg.HTTP.Origins {
		if u, err := url.Parse(origin); err != nil || !isWeb(u) || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			p.add("STEWARD_REDIRECT_ORIGINS", "must be origins such as https://app.example.com")
		}
	}
	if cfg.Google.ClientID == "" {
		return
	}
	p.confidential("STEWARD_GOOGLE_ISSUER", cfg.Google.Discovery)
	p.confidential("STEWARD_GOOGLE_API_URL", cfg.Google.APIURL)
	if cfg.Google.ClientSecret.IsZero() && !p.has("GOOGLE_CLIENT_SECRET") {
		p.add("GOOGLE_CLIENT_SECRET", "is not set although GOOGLE_CLIENT_ID is")
	}
	public, err := url.Parse(cfg.HTTP.PublicURL)
	if err == nil && !loopback(public.Hostname()) && len(cfg.Google.Logins) == 0 {
		p.add("STEWARD_LOGIN_ALLOW", "is not set: say who may sign in, * for everybody with a Google account")
	}
}

// confidential wants an address to which nobody on the way can listen.
func (p *problems) confidential(name, text string) {
	u, err := url.Parse(text)
	if text == "" || err == nil && isWeb(u) && u.Host != "" && u.User == nil && (u.Scheme == "https" || loopback(u.Hostname())) {
		return
	}
	p.add(name, "is neither https nor on this machine")
}

func isWeb(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }
