// Runs once, on an empty volume: a database and an account for each of the two services that are here.
for (const service of ["user", "event"]) {
  db.getSiblingDB(service).createUser({
    user: service,
    pwd: process.env[`MONGO_${service.toUpperCase()}_PASSWORD`],
    roles: [{ role: "readWrite", db: service }],
  });
}
