package ferretdb_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"steward/dev/counterpart/ferretdb"
)

func TestNobodyGetsInWithoutThePassword(t *testing.T) {
	t.Parallel()
	s := ferretdb.Start(t)
	require.NoError(t, insert(t, s.URI("shop")))
	require.Error(t, insert(t, strings.Replace(s.URI("shop"), s.Password.Reveal(), "wrong", 1)))
	require.Error(t, insert(t, "mongodb://"+s.Address+"/shop"))
}

func TestStop(t *testing.T) {
	t.Parallel()
	s, err := ferretdb.Launch(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Stop(t.Context()))
	_, err = new(net.Dialer).DialContext(t.Context(), "tcp", s.Address)
	require.Error(t, err)
}

func insert(t *testing.T, uri string) error {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = client.Database("shop").Collection("orders").InsertOne(ctx, bson.D{{Key: "a", Value: 1}})
	require.NoError(t, client.Disconnect(ctx))
	return err
}
