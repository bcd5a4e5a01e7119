package mongodb

import (
	"errors"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// stages are those that read the collection they stand in; $lookup and $facet have parts that are pipelines again.
var stages = map[string]set{
	"$match": filters, "$project": projections, "$group": expressions, "$sort": expressions, "$addFields": expressions, "$set": expressions,
	"$bucket": expressions, "$bucketAuto": expressions, "$sortByCount": expressions, "$replaceRoot": expressions, "$replaceWith": expressions,
	"$limit": plain, "$skip": plain, "$unwind": plain, "$unset": plain, "$count": plain, "$sample": plain,
}

func (w *walker) pipeline(value any, depth int) error {
	list, ok := value.(bson.A)
	if !ok || len(list) > mostStages {
		return fmt.Errorf("a pipeline is a list of at most %d stages", mostStages)
	}
	for _, item := range list {
		stage, ok := item.(bson.D)
		if !ok || len(stage) != 1 {
			return errors.New("a stage is an object with one key")
		}
		if err := w.stage(stage[0], depth+2); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) stage(e bson.E, depth int) error {
	if depth > mostDepth {
		return fmt.Errorf("the request is nested deeper than %d", mostDepth)
	}
	switch e.Key {
	case "$facet":
		return w.facet(e.Value, depth)
	case "$lookup":
		return w.lookup(e.Value, depth)
	}
	allowed, ok := stages[e.Key]
	if !ok {
		return fmt.Errorf("the stage %s is not allowed", clean(e.Key))
	}
	return w.visit(e.Value, allowed, depth)
}

func (w *walker) facet(value any, depth int) error {
	facets, ok := value.(bson.D)
	if !ok {
		return errors.New("$facet is an object of pipelines")
	}
	if err := checkKeys(facets); err != nil {
		return err
	}
	for _, e := range facets {
		if strings.HasPrefix(e.Key, "$") {
			return errors.New("$facet is an object of pipelines")
		}
		if err := w.pipeline(e.Value, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// lookup joins with a collection of the same database: the form of from that names another one is an object.
func (w *walker) lookup(value any, depth int) error {
	parts, ok := value.(bson.D)
	if !ok {
		return errors.New("$lookup is an object")
	}
	if err := checkKeys(parts); err != nil {
		return err
	}
	for _, e := range parts {
		var err error
		switch e.Key {
		case "from":
			name, ok := e.Value.(string)
			if !ok {
				return errors.New("from of $lookup is the name of a collection of this database")
			}
			err = checkCollection(name)
		case "localField", "foreignField", "as":
			err = w.visit(e.Value, plain, depth+1)
		case "let":
			err = w.visit(e.Value, expressions, depth+1)
		case "pipeline":
			err = w.pipeline(e.Value, depth+1)
		default:
			err = fmt.Errorf("%s is not a part of $lookup", clean(e.Key))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
