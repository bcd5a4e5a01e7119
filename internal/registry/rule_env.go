package registry

import (
	"regexp"
	"slices"
	"strings"
)

// envName is what a variable may be called: what every shell and runtime agrees on.
var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// Variables that decide what a program loads, runs, trusts or talks to, instead of telling it something
// (security.md T-02). Names are compared without regard to case.
var (
	deniedEnv = []string{
		"PATH", "HOME", "SHELL", "PWD", "OLDPWD", "TMPDIR", "TMP", "TEMP", "IFS", "ENV", "BASH_ENV", "BASHOPTS", "SHELLOPTS",
		"PS4", "PROMPT_COMMAND", "CDPATH", "GLOBIGNORE", "EDITOR", "VISUAL", "PAGER", "MANPAGER", "BROWSER", "LESSOPEN", "LESSCLOSE",
		"GCONV_PATH", "NLSPATH", "LOCPATH", "HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS", "RESOLV_HOST_CONF", "GETCONF_DIR", "TZDIR",
		"GODEBUG", "GOFLAGS", "GOENV", "GOTRACEBACK", "CLASSPATH", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS",
		"VIRTUAL_ENV", "CONDA_PREFIX", "PHPRC", "PHP_INI_SCAN_DIR", "KUBECONFIG", "OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY",
		"FTP_PROXY", "NO_PROXY", "XDG_CONFIG_HOME", "XDG_DATA_DIRS", "XDG_CONFIG_DIRS",
	}
	deniedPrefixes = []string{
		"LD_", "DYLD_", "GLIBC_", "MALLOC_", "NODE_", "NPM_", "YARN_", "BUN_", "DENO_", "PYTHON", "PIP_", "UV_", "PERL", "RUBY", "GEM_", "BUNDLE_",
		"DOTNET_", "CORECLR_", "COMPLUS_", "LUA_", "DOCKER_", "CONTAINER_HOST", "PODMAN_", "GIT_", "SSH_", "SYSTEMD_", "STEWARD_", "TEMPORAL_", "BASH_FUNC_",
	}
	// allowedEnv are harmless ones that a denied prefix would take along.
	allowedEnv = []string{"NODE_ENV"}
)

func checkEnvName(name string) string {
	upper := strings.ToUpper(name)
	switch {
	case !envName.MatchString(name):
		return "is not the name of a variable: letters, digits and _, no digit first"
	case slices.Contains(allowedEnv, name):
		return ""
	case slices.Contains(deniedEnv, upper), slices.ContainsFunc(deniedPrefixes, func(p string) bool { return strings.HasPrefix(upper, p) }):
		return "is not allowed: it decides what the program runs, loads or trusts"
	}
	return ""
}

// maxEnvValue lets keys and certificates pass.
const maxEnvValue = 64 << 10

func checkEnvValue(value string) string {
	switch {
	case strings.ContainsRune(value, 0):
		return "holds the character U+0000"
	case len(value) > maxEnvValue:
		return "is too long"
	}
	return ""
}
