package tool_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgxpool"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"steward/dev/counterpart/ferretdb"
	"steward/dev/counterpart/mariadb"
	"steward/dev/counterpart/redis"
	"steward/internal/connector"
	"steward/internal/connector/mongodb"
	"steward/internal/connector/mysql"
	"steward/internal/connector/postgres"
	redisconnector "steward/internal/connector/redis"
	"steward/internal/oauth"
	"steward/internal/storetest"
	"steward/internal/tool"
)

// measured is a database with a hundred rows: how it is connected, what is asked, and the same by its driver alone, on a
// kept connection, with every row read.
type measured struct {
	kind     *connector.Connector
	settings map[string]any
	query    string
	bare     func(ctx context.Context) error
}

// BenchmarkExecute compares a query through the executor, as POST /api/tools/execute makes it, with the bare driver.
func BenchmarkExecute(b *testing.B) {
	for name, prepare := range map[string]func(b *testing.B) measured{
		"postgres": measuredPostgres, "mysql": measuredMySQL, "redis": measuredRedis, "mongodb": measuredMongoDB,
	} {
		b.Run(name, func(b *testing.B) {
			m := prepare(b)
			d := newDesk(b)
			log := slog.New(slog.DiscardHandler)
			users, err := connector.NewConnections(connector.Options{
				Credentials: &oauth.Service{}, DB: d.db, Ring: d.ring, Log: log,
				Dial: func(string) connector.Dial { return new(net.Dialer).DialContext },
			}, m.kind)
			require.NoError(b, err)
			b.Cleanup(users.Close)
			saved, _, err := users.Connect(b.Context(), connector.Filled{Owner: owner, Actor: owner, Kind: m.kind, Values: m.settings}, "bench")
			require.NoError(b, err)
			x, err := tool.NewExecutor(d.db, d.ring, d.reg, users, log, tool.Options{Vault: d.vault, Tokens: d.tokens})
			require.NoError(b, err)
			compare(b, func() error {
				_, err := x.Direct(b.Context(), tool.Direct{
					Owner: owner, Actor: owner, Via: tool.ViaREST, Function: "DB_QUERY_" + saved.ID, Arguments: json.RawMessage(m.query),
				})
				return err
			}, func() error { return m.bare(b.Context()) })
			require.NoError(b, x.Close(b.Context()))
		})
	}
}

func measuredPostgres(b *testing.B) measured {
	address, _ := storetest.URLs(b)
	at, err := url.Parse(address.Reveal())
	require.NoError(b, err)
	password, _ := at.User.Password()
	pool, err := pgxpool.New(b.Context(), address.Reveal())
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	const query = `SELECT n AS id, 'row ' || n AS name FROM generate_series(1, 100) n`
	return measured{
		kind:     postgres.New(),
		settings: map[string]any{"host": at.Hostname(), "port": at.Port(), "database": at.Path[1:], "username": at.User.Username(), "password": password},
		query:    `{"query":"` + query + `"}`,
		bare: func(ctx context.Context) error {
			rows, err := pool.Query(ctx, query)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				if _, err := rows.Values(); err != nil {
					return err
				}
			}
			return rows.Err()
		},
	}
}

func measuredMySQL(b *testing.B) measured {
	target := mariadb.New(b)
	target.Exec("CREATE TABLE " + target.Name + ".names AS SELECT seq AS id, CONCAT('row ', seq) AS name FROM " + target.Name + ".seq_1_to_100")
	reader := target.Reader()
	c := driver.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.DBName = "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(target.Port)), reader.Username, reader.Password, target.Name
	dialler, err := driver.NewConnector(c)
	require.NoError(b, err)
	db := sql.OpenDB(dialler)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	const query = "SELECT id, name FROM names"
	return measured{
		kind:     mysql.New(),
		settings: map[string]any{"host": "127.0.0.1", "port": target.Port, "database": target.Name, "username": reader.Username, "password": reader.Password},
		query:    `{"query":"` + query + `"}`,
		bare: func(ctx context.Context) error {
			rows, err := db.QueryContext(ctx, query)
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }()
			for rows.Next() {
				var id int
				var name string
				if err := rows.Scan(&id, &name); err != nil {
					return err
				}
			}
			return rows.Err()
		},
	}
}

func measuredRedis(b *testing.B) measured {
	server := redis.Start(b, redis.Options{})
	for i := range 100 {
		server.Do("HSET", "names", i, "row "+strconv.Itoa(i))
	}
	client := goredis.NewClient(&goredis.Options{Addr: server.Address(), Password: server.Password})
	b.Cleanup(func() { require.NoError(b, client.Close()) })
	return measured{
		kind:     redisconnector.New(),
		settings: map[string]any{"host": redis.Host, "port": server.Port, "password": server.Password},
		query:    `{"query":"HGETALL names"}`,
		bare:     func(ctx context.Context) error { return client.HGetAll(ctx, "names").Err() },
	}
}

func measuredMongoDB(b *testing.B) measured {
	server := ferretdb.Start(b)
	client, err := mongo.Connect(options.Client().ApplyURI(server.URI("app")))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, client.Disconnect(context.WithoutCancel(b.Context()))) })
	names := client.Database("app").Collection("names")
	documents := make([]any, 100)
	for i := range documents {
		documents[i] = bson.M{"_id": i, "name": "row " + strconv.Itoa(i)}
	}
	_, err = names.InsertMany(b.Context(), documents)
	require.NoError(b, err)
	return measured{
		kind:     mongodb.New(),
		settings: map[string]any{"connection_string": server.URI("app"), "database": "app"},
		query:    `{"collection":"names","filter":{}}`,
		bare: func(ctx context.Context) error {
			found, err := names.Find(ctx, bson.M{})
			if err != nil {
				return err
			}
			var all []bson.M
			return found.All(ctx, &all)
		},
	}
}
