package mongodb

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"steward/internal/connector"
	"steward/internal/connector/database"
	"steward/internal/egress"
)

const (
	mostConnections = 4
	idleClose       = time.Minute
	connectTime     = 4 * time.Second // shorter than a test of a connection
	heartbeat       = 30 * time.Second
	closeTime       = 2 * time.Second
)

// link is a pool of connections to one deployment. The driver watches the deployment from the moment its client is
// made, so the client is made when it is first used.
type link struct {
	target    target
	writes    bool // the user has allowed them
	transport transport
	client    func() (*mongo.Client, error)

	mu    sync.Mutex
	made  *mongo.Client
	ended bool
}

func open(s connector.Settings, dial connector.Dial) (connector.Link, error) {
	t, err := targetOf(s)
	if err != nil {
		return nil, err
	}
	network := transportOf(s, t, dial)
	config := options.Client().
		SetAppName("steward").SetHosts(t.hosts).SetDirect(t.direct).SetDialer(network).
		SetAuth(options.Credential{
			AuthMechanism: t.mechanism, AuthSource: t.authSource, Username: t.username, Password: t.password.Reveal(), PasswordSet: true,
		}).
		// What is written twice is worse than what is not written: repeating is for who knows what it means.
		SetRetryWrites(false).SetRetryReads(false).SetWriteConcern(writeconcern.Majority()).SetReadPreference(t.preference).
		SetMaxPoolSize(mostConnections).SetMaxConnIdleTime(idleClose).SetConnectTimeout(connectTime).
		SetServerSelectionTimeout(connectTime).SetHeartbeatInterval(heartbeat).SetServerMonitoringMode("poll")
	if t.replicaSet != "" {
		config.SetReplicaSet(t.replicaSet)
	}
	return &link{target: t, writes: s.Ticked(database.Writes), transport: network, client: func() (*mongo.Client, error) { return mongo.Connect(config) }}, nil
}

// open makes the client where there is none. It dials by itself before, so that what cannot be reached is told at once:
// the driver goes on trying until its time is over.
func (l *link) open(ctx context.Context) (*mongo.Database, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return nil, &connector.Error{Reason: "the connection is closed"}
	}
	if l.made == nil {
		if err := l.reach(ctx); err != nil {
			return nil, err
		}
		client, err := l.client()
		if err != nil {
			return nil, &connector.Error{Reason: "the connection cannot be used", Err: err}
		}
		l.made = client
	}
	return l.made.Database(l.target.database), nil
}

// reach dials until one host answers.
func (l *link) reach(ctx context.Context) error {
	var last error
	for _, host := range l.target.hosts {
		conn, err := l.transport.DialContext(ctx, "tcp", host)
		if err == nil {
			_ = conn.Close()
			return nil
		}
		last = err
	}
	if errors.Is(last, egress.ErrDenied) {
		return denied(last)
	}
	return &connector.Error{Reason: "no server answers there, or not in the way that SSL Mode asks for", Err: last}
}

// Close implements connector.Link.
func (l *link) Close() {
	l.mu.Lock()
	client := l.made
	l.made, l.ended = nil, true
	l.mu.Unlock()
	if client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	_ = client.Disconnect(ctx) // calls under way are cut off when the time is over
}

// session is the link of a session and its database. The error is an *connector.Error.
func session(ctx context.Context, s *connector.Session) (*link, *mongo.Database, error) {
	l, ok := s.Link.(*link)
	if !ok {
		return nil, nil, &connector.Error{Reason: "the connection cannot be used"}
	}
	db, err := l.open(ctx)
	return l, db, err
}

// primary is where changes are seen at once.
func primary(db *mongo.Database, collection string) *mongo.Collection {
	return db.Collection(collection, options.Collection().SetReadPreference(readpref.Primary()))
}
