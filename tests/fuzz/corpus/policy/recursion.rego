package a
f(n) := f(n + 1)
x := f(1)
