package config

import "net/url"

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
