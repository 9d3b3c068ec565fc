/* What a machine has for CUDA, asked without linking the driver: it need not be there. */
#ifndef MOEBIUS_CUDA_PROBE_H
#define MOEBIUS_CUDA_PROBE_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moebius_cuda_machine {
    int driver_found;       /* whether libcuda.so.1 can be loaded */
    int result;             /* of the driver's first call that failed; 0: none */
    int driver_version;     /* newest CUDA that the driver knows: major * 1000 + minor * 10 */
    int devices;            /* visible ones */
    int compute_capability; /* of the first: major * 10 + minor */
    char device_name[128];  /* of the first */
} moebius_cuda_machine;

void moebius_probe_cuda(moebius_cuda_machine *machine);

#ifdef __cplusplus
}
#endif
#endif
