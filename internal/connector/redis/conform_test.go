package redis_test

import (
	"testing"

	"steward/internal/connector/connectortest"
	"steward/internal/connector/redis"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	connectortest.Conform(t, redis.New())
	connectortest.ConformForm(t, redis.New(), map[string]any{
		"host": "redis.example.com", "port": 6380, "password": "hunter2-not-shown", "username": "steward", "database": 3, "allow_writes": true,
	}, "redis.example.com:6380")
}
