package mongodb

import (
	"errors"
	"slices"
	"strings"
)

// set is a list of operators that do no more than look at the documents they are given. What MongoDB adds later is not
// in it until somebody has read what it does. https://www.mongodb.com/docs/manual/reference/operator/
type set struct {
	operators map[string]bool
	variables bool // texts may be $$variables
}

func setOf(variables bool, lists ...string) set {
	s := set{operators: map[string]bool{}, variables: variables}
	for _, name := range strings.Fields(strings.Join(lists, " ")) {
		s.operators["$"+name] = true
	}
	return s
}

func (s set) has(operator string) bool { return s.operators[operator] }

// systemVariables are those that say nothing about the server or the account, as USER_ROLES does.
var systemVariables = []string{"ROOT", "CURRENT", "NOW", "REMOVE"}

func (s set) text(v string) error {
	name, is := strings.CutPrefix(v, "$$")
	if !s.variables || !is {
		return nil
	}
	name, _, _ = strings.Cut(name, ".")
	if name != "" && name[0] >= 'A' && name[0] <= 'Z' && !slices.Contains(systemVariables, name) {
		return errors.New("this system variable is not allowed here")
	}
	return nil
}

const filterOperators = `
	and or nor not expr eq ne gt gte lt lte in nin exists type mod regex options size all elemMatch comment
	bitsAllClear bitsAllSet bitsAnyClear bitsAnySet text search language caseSensitive diacriticSensitive
	geoIntersects geoWithin near nearSphere geometry box center centerSphere polygon maxDistance minDistance`

const expressionOperators = `
	abs add ceil divide exp floor ln log log10 mod multiply pow round sqrt subtract trunc
	sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh degreesToRadians radiansToDegrees
	arrayElemAt arrayToObject concatArrays filter first firstN in indexOfArray isArray last lastN map maxN minN objectToArray
	range reduce reverseArray size slice sortArray zip
	and or not cmp eq gt gte lt lte ne cond ifNull switch let literal meta mergeObjects getField setField unsetField
	dateAdd dateDiff dateFromParts dateFromString dateSubtract dateToParts dateToString dateTrunc dayOfMonth dayOfWeek dayOfYear
	hour isoDayOfWeek isoWeek isoWeekYear millisecond minute month second week year tsIncrement tsSecond
	allElementsTrue anyElementTrue setDifference setEquals setIntersection setIsSubset setUnion
	concat indexOfBytes indexOfCP ltrim regexFind regexFindAll regexMatch replaceAll replaceOne rtrim split strLenBytes strLenCP
	strcasecmp substr substrBytes substrCP toLower toUpper trim
	convert isNumber toBool toDate toDecimal toDouble toInt toLong toObjectId toString type bitAnd bitNot bitOr bitXor
	bsonSize binarySize rand sampleRate
	addToSet avg bottom bottomN count max median min percentile push stdDevPop stdDevSamp sum top topN`

var (
	filters     = setOf(false, filterOperators)
	expressions = setOf(true, expressionOperators)
	projections = setOf(true, filterOperators, expressionOperators)
	plain       = setOf(false) // data and paths alone
)
