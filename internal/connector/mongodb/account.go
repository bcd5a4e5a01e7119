package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// tooPowerful are roles that may make accounts, stop the server or read the accounts' secrets. An owner or a userAdmin of
// one database is among them: they may make accounts and give rights in it.
// https://www.mongodb.com/docs/manual/reference/built-in-roles/
var tooPowerful = []string{
	"root", "__system", "userAdmin", "userAdminAnyDatabase", "clusterAdmin", "clusterManager", "hostManager", "backup", "restore",
	"dbAdminAnyDatabase", "dbOwner", "atlasAdmin",
}

// powers are the same of roles that a site has made itself.
var powers = []string{"anyAction", "applyOps", "createRole", "createUser", "grantRole", "replSetReconfig", "shutdown"}

// changing are the actions of which DB_WRITE needs the one or the other.
var changing = []string{"insert", "update", "remove"}

// authInfo is the answer to connectionStatus.
type authInfo struct {
	AuthInfo struct {
		Users []bson.D `bson:"authenticatedUsers"`
		Roles []struct {
			Role string `bson:"role"`
			DB   string `bson:"db"`
		} `bson:"authenticatedUserRoles"`
		Privileges []struct {
			Resource struct {
				DB string `bson:"db"`
			} `bson:"resource"`
			Actions []string `bson:"actions"`
		} `bson:"authenticatedUserPrivileges"`
	} `bson:"authInfo"`
}

// Test implements connector.Link: it dials, logs in, asks what the account may do, whether it may write if it is to, and
// looks into the database.
func (l *link) Test(ctx context.Context) error {
	db, err := l.open(ctx)
	if err != nil {
		return err
	}
	var status authInfo
	err = db.RunCommand(ctx, bson.D{{Key: "connectionStatus", Value: 1}, {Key: "showPrivileges", Value: true}}).Decode(&status)
	switch e, ok := errors.AsType[mongo.CommandError](err); {
	case ok && e.Code == codeNoSuchCommand: // servers that only speak the protocol
	case err != nil:
		return readFailure(err)
	default:
		if err := status.check(l.target.database, l.writes); err != nil {
			return refused(err)
		}
	}
	names, err := db.RunCommandCursor(ctx, bson.D{
		{Key: "listCollections", Value: 1},
		{Key: "nameOnly", Value: true},
		{Key: "authorizedCollections", Value: true},
		{Key: "cursor", Value: bson.D{{Key: "batchSize", Value: 1}}},
	})
	if err != nil {
		return readFailure(err)
	}
	_ = names.Close(ctx) // the server forgets it by itself
	return nil
}

func (a authInfo) check(database string, writes bool) error {
	if len(a.AuthInfo.Users) == 0 {
		return errors.New("the server asks for no password: everybody who reaches it may do everything")
	}
	for _, r := range a.AuthInfo.Roles {
		if slices.Contains(tooPowerful, r.Role) {
			return fmt.Errorf("the account has the role %s, which is more than tools may use: %s", clean(r.Role), advice(database, writes))
		}
	}
	for _, p := range a.AuthInfo.Privileges {
		for _, action := range p.Actions {
			if slices.Contains(powers, action) {
				return fmt.Errorf("the account may %s, which is more than tools may use: %s", action, advice(database, writes))
			}
		}
	}
	if writes && !a.changes(database) {
		return fmt.Errorf("the account may change nothing in this database. Whoever gives out its rights runs once: "+
			"db.grantRolesToUser(\"...\", [{role: \"readWrite\", db: %q}])", database)
	}
	return nil
}

// changes says whether the account may change documents of the database. Servers that only speak the protocol tell
// nothing about that, and are believed.
func (a authInfo) changes(database string) bool {
	for _, p := range a.AuthInfo.Privileges {
		of := p.Resource.DB
		if (of == database || of == "") && slices.ContainsFunc(p.Actions, func(action string) bool { return slices.Contains(changing, action) }) {
			return true
		}
	}
	return len(a.AuthInfo.Privileges) == 0
}

// advice is how to make an account that may do no more than the tools.
func advice(database string, writes bool) string {
	role := "read"
	if writes {
		role = "readWrite"
	}
	return fmt.Sprintf("make one that may do no more than is needed: db.createUser({user: \"steward\", pwd: \"...\", roles: [{role: %q, db: %q}]})", role, database)
}
