package remote

import "slices"

// Offline is the scope with which OpenID Connect asks for a refresh token (Core §11).
const Offline = "offline_access"

// Wanted are the scopes to ask for: what the challenge names, else what the resource knows, else none
// (basic/authorization, "Scope Selection Strategy"). offline_access joins them where the authorization server knows
// it (SEP-2207): it is never the resource's to ask for.
func (a *Authority) Wanted(ch Challenge) []string {
	scopes := ch.Scopes
	if len(scopes) == 0 {
		scopes = a.Scopes
	}
	scopes = slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return s == Offline })
	if slices.Contains(a.Metadata.ScopesSupported, Offline) {
		scopes = append(scopes, Offline)
	}
	return scopes
}

// Union joins what is granted with what is wanted beside it, in this order: a step-up loses nothing (SEP-2350).
func Union(granted, wanted []string) []string {
	all := []string{}
	for _, s := range slices.Concat(granted, wanted) {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
