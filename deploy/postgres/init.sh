#!/usr/bin/env bash
# Runs once, on an empty volume: a database and an account for each of the two services that are here.
set -euo pipefail
for service in analytics notification; do
  name="POSTGRES_${service^^}_PASSWORD"
  psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set=service="$service" --set=password="${!name}" <<'SQL'
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service";
REVOKE CONNECT ON DATABASE :"service" FROM PUBLIC;
SQL
done
