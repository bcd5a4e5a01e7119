package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// tooPowerful are roles that may make accounts, stop the server or read the accounts' secrets.
// https://www.mongodb.com/docs/manual/reference/built-in-roles/
var tooPowerful = []string{
	"root", "__system", "userAdmin", "userAdminAnyDatabase", "clusterAdmin", "clusterManager", "hostManager", "backup", "restore",
	"dbAdminAnyDatabase", "dbOwner@admin", "atlasAdmin",
}

// powers are the same of roles that a site has made itself.
var powers = []string{"anyAction", "applyOps", "createRole", "createUser", "grantRole", "replSetReconfig", "shutdown"}

const advice = "make an account that may do no more than the tools: db.createUser({user: …, pwd: …, roles: [{role: \"read\", db: …}]}), " +
	"with readWrite in place of read where changes are wanted"

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

// Test implements connector.Link: it dials, logs in, asks what the account may do, and looks into the database.
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
		if err := status.check(); err != nil {
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

func (a authInfo) check() error {
	if len(a.AuthInfo.Users) == 0 {
		return errors.New("the server asks for no password: everybody who reaches it may do everything")
	}
	for _, r := range a.AuthInfo.Roles {
		if slices.Contains(tooPowerful, r.Role) || slices.Contains(tooPowerful, r.Role+"@"+r.DB) {
			return fmt.Errorf("the account has the role %s: %s", clean(r.Role), advice)
		}
	}
	for _, p := range a.AuthInfo.Privileges {
		for _, action := range p.Actions {
			if slices.Contains(powers, action) {
				return fmt.Errorf("the account may %s: %s", action, advice)
			}
		}
	}
	return nil
}
