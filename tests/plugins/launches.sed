# launches.sed: kernel<<<grid, THREADS>>>(arguments) becomes launch(kernel, grid, THREADS, arguments) of cuda_on_simt.h.
s/\([a-z]*\)<<<\(.*\), THREADS>>>(/launch(\1, \2, THREADS, /
