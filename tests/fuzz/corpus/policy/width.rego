package a
 x := sprintf("%999999999d", [1])
