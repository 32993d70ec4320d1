#!/bin/sh
# Configures a gateway by Kong's Admin API, as Kong's own documentation does it. $KONG is the Admin API, $LIBRARY the
# address of the service, $PROTO its description.
set -eu

curl -fsS -X POST "$KONG/services/" \
  --data name=library \
  --data "url=grpc://$LIBRARY"

curl -fsS -X POST "$KONG/services/library/routes" \
  --data name=library \
  --data 'paths[]=/library' \
  --data 'protocols[]=http'

curl -fsS -X POST "$KONG/routes/library/plugins" \
  --data name=grpc-gateway \
  --data "config.proto=$PROTO"

curl -fsS -X POST "$KONG/consumers" --data username=reader

curl -fsS -X POST "$KONG/consumers/reader/jwt" \
  --data key=reading-room \
  --data algorithm=HS256 \
  --data secret=a-secret-that-is-shared-with-the-reading-room

curl -fsS -X POST "$KONG/services/library/plugins" \
  --data name=jwt \
  --data config.key_claim_name=iss \
  --data 'config.claims_to_verify[]=exp'

curl -fsS -X POST "$KONG/plugins" \
  --data name=kong-jwt2header \
  --data config.strip_claims=false \
  --data config.token_required=true
