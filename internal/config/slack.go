package config

// slack checks what connecting Slack needs. Codes, secrets and tokens go to the address.
func (p *problems) slack(cfg *Config) {
	if cfg.Slack.SlackID == "" {
		return
	}
	p.confidential("STEWARD_SLACK_API_URL", cfg.Slack.SlackURL)
	if cfg.Slack.SlackSecret.IsZero() && !p.has("SLACK_CLIENT_SECRET") {
		p.add("SLACK_CLIENT_SECRET", "is not set although SLACK_CLIENT_ID is")
	}
}
