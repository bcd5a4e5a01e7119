package python

// ReadReport is for the fuzz test.
var ReadReport = readReport
