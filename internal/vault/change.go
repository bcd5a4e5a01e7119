package vault

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"steward/internal/audit"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/secret"
	"steward/internal/store"
)

// Pattern is the grammar of names: those of environment variables, with the dots and dashes of tool parameters.
const Pattern = `^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`

var grammar = regexp.MustCompile(Pattern)

// changedBody is all that the audit log learns.
type changedBody struct {
	Server int64  `json:"server"`
	Name   string `json:"name"`
}

// Set stores value, replacing what was there, and tells every process. Faults: Invalid, and NotFound for a
// server that the owner cannot have.
func (v *Vault) Set(ctx context.Context, c Change, value secret.String) error {
	if err := fits(c.Name, value); err != nil {
		return err
	}
	sealed, err := v.ring.Seal(c.binding(), []byte(value.Reveal()))
	if err != nil {
		return err
	}
	salt, err := v.newSalt(c)
	if err != nil {
		return err
	}
	err = v.db.Tx(ctx, func(q *store.Queries) error {
		set, err := q.OpenSecretSet(ctx, store.OpenSecretSetParams{Owner: c.Owner, ServerID: c.Server, SaltSealed: salt})
		if store.IsNoRows(err) {
			return fault.New(fault.NotFound, "no such server")
		}
		if err != nil {
			return err
		}
		others, err := q.CountSecrets(ctx, store.CountSecretsParams{Owner: c.Owner, ServerID: c.Server, Name: c.Name})
		if err != nil {
			return err
		}
		if others >= maxValues {
			return fault.InvalidField("body.secretName", "there are %d secrets for this server already", maxValues)
		}
		mark, err := v.fingerprint(c, set.SaltSealed, value)
		if err != nil {
			return err
		}
		err = q.PutSecret(ctx, store.PutSecretParams{Owner: c.Owner, ServerID: c.Server, Name: c.Name, ValueSealed: sealed, Fingerprint: mark})
		if err != nil {
			return err
		}
		return c.told(ctx, q, audit.SecretSet, set.Version)
	})
	v.Forget(c.Owner, c.Server)
	return wrap("set secret", err)
}

// Delete removes a value for good. Fault: NotFound if there is none of this name.
func (v *Vault) Delete(ctx context.Context, c Change) error {
	err := v.db.Tx(ctx, func(q *store.Queries) error {
		version, err := q.RaiseSecretSet(ctx, store.RaiseSecretSetParams{Owner: c.Owner, ServerID: c.Server})
		if store.IsNoRows(err) {
			return absent()
		}
		if err != nil {
			return err
		}
		gone, err := q.DeleteSecret(ctx, store.DeleteSecretParams{Owner: c.Owner, ServerID: c.Server, Name: c.Name})
		if err != nil {
			return err
		}
		if gone == 0 {
			return absent()
		}
		return c.told(ctx, q, audit.SecretDeleted, version)
	})
	v.Forget(c.Owner, c.Server)
	return wrap("delete secret", err)
}

func absent() error { return fault.New(fault.NotFound, "no such secret") }

// told writes the change down and announces it, in its own transaction.
func (c Change) told(ctx context.Context, q *store.Queries, kind string, version int64) error {
	err := audit.Put(ctx, q, audit.Event{
		Chain: automation.AuditUser(c.Owner), Key: fmt.Sprintf("secrets/%d/%d", c.Server, version), Kind: kind,
		Actor: c.Actor, Body: changedBody{c.Server, c.Name},
	})
	if err != nil {
		return err
	}
	return q.Announce(ctx, store.Change{Kind: store.SecretChanged, Owner: c.Owner, Server: c.Server, Version: version})
}

// binding ties the value to its place.
func (c Change) binding() secret.Binding {
	return secret.Binding{Owner: c.Owner, Purpose: "user.secret", Ref: fmt.Sprintf("%d/%s", c.Server, c.Name)}
}

func fits(name string, value secret.String) error {
	switch text := value.Reveal(); {
	case !grammar.MatchString(name):
		return fault.InvalidField("body.secretName", "must begin with a letter or _, and hold up to 128 letters, digits, _, . or -")
	case text == "":
		return fault.InvalidField("body.secretValue", "must not be empty")
	case len(text) > MaxValue:
		return fault.InvalidField("body.secretValue", "is larger than 64 KiB")
	case strings.ContainsRune(text, 0):
		return fault.InvalidField("body.secretValue", "must not hold a NUL")
	}
	return nil
}

// wrap names the operation in front of what is no fault.
func wrap(operation string, err error) error {
	if err == nil || fault.KindOf(err) != fault.Internal {
		return err
	}
	return fmt.Errorf("%s: %w", operation, err)
}
