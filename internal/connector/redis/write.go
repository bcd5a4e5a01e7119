package redis

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/jsonschema-go/jsonschema"
	driver "github.com/redis/go-redis/v9"

	"steward/internal/automation"
	"steward/internal/connector"
	"steward/internal/connector/database"
)

// mostCommands of one transaction.
const mostCommands = 100

type writeInput struct {
	Commands []string `json:"commands" jsonschema:"command lines as in redis-cli, carried out in order and in one transaction, such as: SET \"user:1:name\" \"Ann\""`
}

type written struct {
	Applied int       `json:"applied" jsonschema:"how many commands the transaction had"`
	Failed  int       `json:"failed" jsonschema:"how many of them the server refused while it carried out the others"`
	Results []outcome `json:"results" jsonschema:"of each command, in order"`
	Note    string    `json:"note,omitempty"`
}

type outcome struct {
	Answer any    `json:"answer,omitempty"`
	Error  string `json:"error,omitempty"`
}

func writeTool() connector.Tool {
	return connector.Typed[writeInput, written]{
		Tool: connector.Tool{
			Name: "DB_WRITE", Title: "Write to {name}", Class: automation.Effect, Untrusted: true, Private: true, Needs: database.Writes,
			Description: "Changes {name} with Redis commands that write, such as SET, DEL, HSET, LPUSH, SADD, ZADD, XADD, INCRBY or EXPIRE, " +
				"in one transaction. A command that fails while it runs does not take the others back. It cannot be taken back.",
		},
		Bounds: func(p map[string]*jsonschema.Schema) {
			p["commands"].MinItems, p["commands"].MaxItems = jsonschema.Ptr(1), jsonschema.Ptr(mostCommands)
			p["commands"].Items.MaxLength = jsonschema.Ptr(longestLine)
		},
		Call: write, Probe: probe,
	}.Build()
}

// write carries the commands out in one transaction with a mark that says so. From the moment at which the mark is
// watched until the transaction, whoever else touches it makes the transaction fail: and whoever takes the call from
// this attempt touches it, by its probe. The note in between proves that until then nobody had.
func write(ctx context.Context, s *connector.Session, c connector.Call, in writeInput) (written, error) {
	commands, err := changes(in.Commands)
	if err != nil {
		return written{}, readFailure(err)
	}
	ctx, cancel := context.WithTimeout(ctx, database.QueryTime)
	defer cancel()
	m := mark{linkOf(s).client, c.ID}
	var out written
	sent := false
	err = m.watch(ctx, func(tx *driver.Tx, state string) error {
		if state == applied { // by an earlier attempt, whose answer was lost
			out = lost(len(commands))
			return nil
		}
		if err := c.Note(ctx, newReceipt().String()); err != nil {
			return &connector.Error{Reason: "the change could not be noted: it was not made", Err: err}
		}
		sent = true
		out, err = m.apply(ctx, tx, commands)
		return err
	})
	if err == nil {
		return out, nil
	}
	if e, ok := errors.AsType[*connector.Error](err); ok {
		return written{}, e
	}
	return written{}, failure(err, sent)
}

// lost is the result of a transaction of which only the mark is left.
func lost(commands int) written {
	return written{Applied: commands, Results: []outcome{}, Note: "the commands were carried out once; their single answers were lost"}
}

// apply is the transaction: the mark first.
func (m mark) apply(ctx context.Context, tx *driver.Tx, commands [][]string) (written, error) {
	pipe := tx.TxPipeline()
	marked := m.set(ctx, pipe, applied)
	sent := make([]*driver.Cmd, 0, len(commands))
	for _, command := range commands {
		args := make([]any, 0, len(command))
		for _, arg := range command {
			args = append(args, arg)
		}
		sent = append(sent, pipe.Do(ctx, args...))
	}
	_, err := pipe.Exec(ctx)
	if driver.IsExecAbortError(err) {
		return written{}, refused(sent, err)
	}
	if marked.Val() != "OK" { // nothing is known, or the mark has changed: the probe finds out
		return written{}, &connector.Error{Ran: true, Reason: "whether the change was made is not known", Err: err}
	}
	return told(sent), nil
}

// told are the answers of a transaction that was carried out, as far as they find room.
func told(sent []*driver.Cmd) written {
	out := written{Applied: len(sent), Results: []outcome{}}
	room := database.MostBytes / 2
	for _, cmd := range sent {
		value, err := found(cmd.Result())
		if _, answered := errors.AsType[driver.Error](err); err != nil && !answered {
			return lost(len(sent)) // the answer was cut off behind the mark
		}
		one := outcome{}
		if err != nil {
			out.Failed++
			one.Error = refusal(err)
		} else if one.Answer, room = fitted(value, room); room < 0 {
			out.Note = "answers that found no room were left out"
		}
		out.Results = append(out.Results, one)
	}
	return out
}

// fitted is a reply as JSON can say it, with the room that is left after it; nil where there is too little.
func fitted(value any, room int) (any, int) {
	doc, err := json.Marshal(marked(value))
	if room -= len(doc); err != nil || room < 0 {
		return nil, min(room, -1)
	}
	return json.RawMessage(doc), room
}

// refused says why a transaction was not carried out at all: the first command that the server did not take.
func refused(sent []*driver.Cmd, err error) *connector.Error {
	for _, cmd := range sent {
		if cmd.Err() != nil && !driver.IsExecAbortError(cmd.Err()) {
			err = cmd.Err()
			break
		}
	}
	return failure(err, false)
}
