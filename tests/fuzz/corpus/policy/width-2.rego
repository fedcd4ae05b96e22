package a
 x := sprintf("%999999998d", [1])
