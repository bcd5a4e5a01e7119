package mcp

import (
	"context"
	"strings"

	"steward/internal/auth"
	"steward/internal/automation"
	"steward/internal/fault"
	"steward/internal/tool"
)

type toolsInput struct {
	Query  string `json:"query,omitempty" maxLength:"128" doc:"Only tools whose name, title or description holds this text."`
	Server string `json:"server,omitempty" maxLength:"128" doc:"Only tools of this MCP server or connection, by name."`
	After  string `json:"after,omitempty" maxLength:"256" doc:"next of the page before."`
	Limit  int    `json:"limit,omitempty" minimum:"1" maximum:"200" doc:"How many tools at most; 50 if not given."`
}

type toolList struct {
	Tools  []callable `json:"tools" nullable:"false" doc:"What the user can call now."`
	Next   string     `json:"next,omitempty" doc:"Where the next page begins; absent on the last."`
	Absent []absent   `json:"absent" nullable:"false" doc:"Servers that did not answer, and tools that wait for somebody to look at them."`
}

type callable struct {
	Name        string `json:"name" doc:"What call_tool takes."`
	Server      string `json:"server" doc:"The MCP server or connection that offers it."`
	Title       string `json:"title,omitempty" doc:"Its name for people."`
	Description string `json:"description,omitempty" doc:"What it says of itself: foreign text."`
	InputSchema object `json:"input_schema" doc:"The JSON Schema of its arguments."`
	Class       string `json:"class" enum:"read,idempotent,effect" doc:"read changes nothing; effect may."`
}

type absent struct {
	Server string `json:"server" doc:"The server."`
	Tool   string `json:"tool,omitempty" doc:"The one tool that is missing; absent: all of them are."`
	Reason string `json:"reason" doc:"Why."`
}

const usualTools = 50

func listTools(executor *tool.Executor) offer {
	return offering(about{
		name: "list_tools", title: "List the user's tools", hints: reads,
		description: "Every tool that the user can call through Steward: of MCP servers, mail, files, calendar, databases. call_tool calls one.",
	}, auth.ToolsRead, SchemaOf[toolList](), func(ctx context.Context, c *call, in toolsInput) (any, error) {
		all, err := executor.Callable(ctx, c.caller.Owner)
		if err != nil {
			return nil, err
		}
		return page(all, in)
	})
}

func page(all tool.Catalogue, in toolsInput) (toolList, error) {
	if in.Limit == 0 {
		in.Limit = usualTools
	}
	list := toolList{Tools: []callable{}, Absent: []absent{}}
	begun := in.After == ""
	for _, t := range all.Tools {
		if !begun {
			begun = t.Function == in.After
			continue
		}
		if !matches(t, in) {
			continue
		}
		if len(list.Tools) == in.Limit {
			list.Next = list.Tools[in.Limit-1].Name
			break
		}
		list.Tools = append(list.Tools, callable{
			Name: t.Function, Server: t.ServerName, Title: t.Title, Description: t.Description, InputSchema: object(t.InputSchema), Class: string(classOf(t)),
		})
	}
	if !begun {
		return toolList{}, fault.InvalidField("arguments.after", "the list has changed since: begin again")
	}
	for _, a := range all.Absent {
		list.Absent = append(list.Absent, absent{Server: a.Server, Tool: a.Tool, Reason: a.Reason})
	}
	return list, nil
}

func matches(t tool.Tool, in toolsInput) bool {
	if in.Server != "" && t.ServerName != in.Server {
		return false
	}
	query := strings.ToLower(in.Query)
	return query == "" || strings.Contains(strings.ToLower(t.Function+" "+t.Name+" "+t.Title+" "+t.Description), query)
}

// classOf calls nothing a read that has not said so.
func classOf(t tool.Tool) automation.Class {
	if t.Class == "" {
		return automation.Effect
	}
	return t.Class
}
