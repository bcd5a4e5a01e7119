package mongodb_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"steward/internal/connector"
)

// BenchmarkQuery shows what walking the request and writing the answer down add to the driver.
func BenchmarkQuery(b *testing.B) {
	var documents []any
	for i := range 100 {
		documents = append(documents, bson.D{{Key: "_id", Value: i}, {Key: "name", Value: "campaign"}, {Key: "spend", Value: i * 10}})
	}
	s := newSite(b, documents...)
	b.Run("connector", func(b *testing.B) {
		query := tool(b, "DB_QUERY")
		session := &connector.Session{Link: s.link}
		call := connector.Call{ID: "x", Arguments: []byte(`{"collection":"campaigns","filter":{"spend":{"$lt":200}},"sort":{"_id":1}}`)}
		b.ReportAllocs()
		for b.Loop() {
			_, err := query.Call(b.Context(), session, call)
			require.NoError(b, err)
		}
	})
	b.Run("bare", func(b *testing.B) {
		campaigns := s.db.Collection("campaigns")
		b.ReportAllocs()
		for b.Loop() {
			found, err := campaigns.Find(b.Context(), bson.D{{Key: "spend", Value: bson.D{{Key: "$lt", Value: 200}}}}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
			require.NoError(b, err)
			var out []bson.D
			require.NoError(b, found.All(b.Context(), &out))
			require.Len(b, out, 20)
		}
	})
}
