package mongodb_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"steward/internal/connector/mongodb"
	"steward/internal/fault"
)

const secretWord = "hunter2-the-password"

func TestPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"mongodb://u:" + secretWord + "@db.example.com/shop":                                                 "db.example.com:27017/shop",
		" mongodb://u:" + secretWord + "@a.example.com:27018,[2001:db8::1]:5/shop?replicaSet=rs0&tls=true ":  "a.example.com:27018,[2001:db8::1]:5/shop",
		"mongodb://u:" + secretWord + "@db.example.com/shop?retryWrites=true&w=majority&appName=x&ssl=true":  "db.example.com:27017/shop",
		"mongodb://u:" + secretWord + "@db.example.com/shop?authMechanism=SCRAM-SHA-256&authSource=accounts": "db.example.com:27017/shop",
	} {
		settings, err := mongodb.New().Form.Read(map[string]any{"connection_string": text})
		require.NoError(t, err)
		place, err := mongodb.New().Form.Place(settings)
		require.NoError(t, err, text)
		require.Equal(t, want, place)
	}
}

func TestWhatIsNotTaken(t *testing.T) {
	t.Parallel()
	at := "mongodb://u:" + secretWord + "@"
	for text, says := range map[string]string{
		"mongodb+srv://u:" + secretWord + "@cluster.example.com/shop":                     "mongodb+srv://",
		"MONGODB+SRV://u:" + secretWord + "@cluster.example.com/shop":                     "mongodb+srv://",
		"postgres://u:" + secretWord + "@db/shop":                                         "not a connection string",
		at + "%2Ftmp%2Fmongodb-27017.sock/shop":                                           "host that is none",
		at + "mongodb.sock/shop":                                                          "host that is none",
		at + "a b/shop":                                                                   "host that is none",
		at + strings.Repeat("h,", 8) + "h/shop":                                           "more than 7 hosts",
		at + "db/shop?tlsCAFile=/etc/passwd":                                              "option that is not taken",
		at + "db/shop?tlsCertificateKeyFile=/etc/passwd":                                  "option that is not taken",
		at + "db/shop?tlsInsecure=true":                                                   "option that is not taken",
		at + "db/shop?proxyHost=10.0.0.5":                                                 "option that is not taken",
		at + "db/shop?loadBalanced=true":                                                  "option that is not taken",
		at + "db/shop?srvServiceName=x":                                                   "not a connection string",
		at + "db/shop?unheardOf=" + secretWord:                                            "option that is not taken",
		at + "db/shop?authMechanism=GSSAPI&authMechanismProperties=SERVICE_HOST:10.0.0.5": "option that is not taken",
		at + "db/shop?authMechanism=GSSAPI":                                               "authMechanism other than",
		"mongodb://u@db/shop?authMechanism=MONGODB-X509":                                  "no user and password",
		"mongodb://db/shop?authMechanism=MONGODB-AWS":                                     "no user and password",
		"mongodb://db/shop?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:azure,TOKEN_RESOURCE:x": "option that is not taken",
		"mongodb://db/shop":                        "no user and password",
		"mongodb://u@db/shop":                      "no user and password",
		at + "db/":                                 "is missing",
		at + "db/admin":                            "server itself",
		at + "db/Local":                            "server itself",
		at + "db/a.b":                              "no database has",
		at + "db/shop?readPreference=best":         "readPreference that does not exist",
		at + "db/shop?timeoutMS=" + secretWord:     "not a connection string",
		at + "db:99999/shop":                       "not a connection string",
		"mongodb://u:" + secretWord + ":x@db/shop": "not a connection string",
	} {
		settings, err := mongodb.New().Form.Read(map[string]any{"connection_string": text})
		require.NoError(t, err, text)
		_, err = mongodb.New().Form.Place(settings)
		require.Equal(t, fault.Invalid, fault.KindOf(err), text)
		require.ErrorContains(t, err, says, text)
		require.NotContains(t, err.Error(), secretWord, "an error shows the string")
	}
}

func TestAnswersOfTheFormThatContradictOneAnother(t *testing.T) {
	t.Parallel()
	at := "mongodb://u:" + secretWord + "@db.example.com/shop"
	for name, values := range map[string]map[string]any{
		"tls=false, and SSL is required": {"connection_string": at + "?tls=false", "ssl": true},
		"SSL is required":                {"connection_string": at, "ssl": true, "ssl_mode": "disable"},
		"no certificate in PEM":          {"connection_string": at, "ssl": true, "ssl_ca": "x"},
		"database of the server itself":  {"connection_string": at, "database": "config"},
	} {
		settings, err := mongodb.New().Form.Read(values)
		require.NoError(t, err)
		_, err = mongodb.New().Form.Place(settings)
		require.Equal(t, fault.Invalid, fault.KindOf(err), name)
		require.ErrorContains(t, err, name)
	}
}

func FuzzPlace(f *testing.F) {
	for _, text := range []string{
		"mongodb://u:p@db/shop", "mongodb+srv://u:p@db/shop", "mongodb://u:p@a,b:1,[::1]:2/shop?tls=true&replicaSet=x", "mongodb://u:p@%2Ftmp%2Fx.sock/shop",
		"mongodb://u:p@db/shop?tlsCAFile=/x", "mongodb://u:p%40@db/?authMechanism=PLAIN",
	} {
		f.Add(text, "")
	}
	form := mongodb.New().Form
	f.Fuzz(func(t *testing.T, text, name string) {
		settings, err := form.Read(map[string]any{"connection_string": text, "database": name})
		if err != nil {
			return
		}
		place, err := form.Place(settings)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			return
		}
		require.True(t, strings.HasPrefix(strings.TrimSpace(text), "mongodb://"))
		hosts, _, ok := strings.Cut(place, "/")
		require.True(t, ok)
		require.LessOrEqual(t, strings.Count(hosts, ","), 6)
		require.NotContains(t, hosts, ".sock:")
		require.NotContains(t, place, "@")
	})
}
