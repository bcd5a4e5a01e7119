package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuantiles(t *testing.T) {
	t.Parallel()
	hundred := make(sample, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100 - i)
	}
	for _, tt := range []struct {
		of   sample
		q    float64
		want time.Duration
	}{
		{nil, 0.5, 0},
		{sample{7}, 0.5, 7},
		{sample{7}, 0.99, 7},
		{sample{3, 1, 2}, 0.5, 2},
		{sample{4, 1, 3, 2}, 0.5, 2},
		{hundred, 0, 1},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 1, 100},
	} {
		require.Equal(t, tt.want, tt.of.at(tt.q), "%v of %d values", tt.q, len(tt.of))
	}
	require.Equal(t, time.Duration(100), hundred[0], "the sample itself stays in its order")
}

func TestRepeatedKeepsTheWidth(t *testing.T) {
	t.Parallel()
	tickets := make(chan struct{}, 3)
	taken, _, err := repeated(t.Context(), 20, 3, func(context.Context) error {
		select {
		case tickets <- struct{}{}:
		default:
			return errors.New("a fourth at once")
		}
		<-tickets
		return nil
	})
	require.NoError(t, err)
	require.Len(t, taken, 20)
}
