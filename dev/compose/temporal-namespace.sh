#!/bin/sh
# Run to its end once Temporal answers: the namespace whose histories are kept for 30 days.
set -eu
until temporal operator cluster health >/dev/null 2>&1; do
  echo "waiting for Temporal"
  sleep 2
done
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 720h
