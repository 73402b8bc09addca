import type { IncomingHttpHeaders } from 'node:http';

/** The span of one request. */
export interface RequestTrace {
  /** For log lines. */
  ids: { traceId?: string };
  /** Calls `run` in a child span of the request's span. */
  span<Result>(name: string, run: () => Promise<Result>): Promise<Result>;
  end(request: FinishedRequest): void;
}

/** Data of a finished request. */
interface FinishedRequest {
  method: string;
  /** A pattern. */
  route: string;
  /** Without the query. */
  path: string;
  /** `null`: the connection closed before a response. */
  status: number | null;
  requestId: string;
}

/** Sends the spans of requests to a collector. */
export interface Tracing {
  /** @param headers may name the trace that this request belongs to; only of a trusted proxy. */
  startRequest(method: string, headers: IncomingHttpHeaders): RequestTrace;
  /** Sends the remaining spans, within two seconds. */
  close(): Promise<void>;
}

const CLOSE_WITHIN_MS = 2000;
const SERVICE = 'latchkey';
/** The OpenTelemetry variables that set a destination of traces. */
const DESTINATIONS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_TRACES_EXPORTER',
] as const;

const untraced: RequestTrace = {
  ids: {},
  span: (_name, run) => run(),
  end: () => undefined,
};
const noTracing: Tracing = { startRequest: () => untraced, close: () => Promise.resolve() };

/**
 * Starts OpenTelemetry if its variables set a destination; otherwise loads nothing. The SDK reads its
 * other variables (`OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`, headers, protocol) from the process.
 */
export async function startTracing(
  variables: Record<string, string | undefined>,
): Promise<Tracing> {
  return isEnabled(variables) ? startSdk(variables) : noTracing;
}

function isEnabled(variables: Record<string, string | undefined>): boolean {
  if (variables.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return false;
  if (variables.OTEL_TRACES_EXPORTER === 'none') return false;
  return DESTINATIONS.some((name) => variables[name]);
}

async function startSdk(variables: Record<string, string | undefined>): Promise<Tracing> {
  const [{ NodeSDK, resources }, api] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/api'),
  ]);
  const { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;
  const sdk = new NodeSDK({
    ...(variables.OTEL_SERVICE_NAME ? {} : { serviceName: SERVICE }),
    // The application creates its spans itself. Metrics are at /metrics, logs on standard output.
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
    // The other detectors would report the command line, the system user and the machine.
    resourceDetectors: [resources.envDetector],
  });
  sdk.start();
  const tracer = trace.getTracer(SERVICE);

  return {
    startRequest(method, headers) {
      const parent = propagation.extract(ROOT_CONTEXT, headers);
      const span = tracer.startSpan(method, { kind: SpanKind.SERVER }, parent);
      const inRequest = trace.setSpan(parent, span);
      return {
        ids: { traceId: span.spanContext().traceId },
        async span(name, run) {
          const inner = tracer.startSpan(name, {}, inRequest);
          try {
            return await context.with(trace.setSpan(inRequest, inner), run);
          } catch (error) {
            // Without the message of the error, which may contain secrets.
            inner.setStatus({ code: SpanStatusCode.ERROR });
            throw error;
          } finally {
            inner.end();
          }
        },
        end({ route, path, status, requestId }) {
          span.updateName(`${method} ${route}`);
          span.setAttributes({
            'http.request.method': method,
            'http.route': route,
            'url.path': path,
            ...(status !== null && { 'http.response.status_code': status }),
            'latchkey.request_id': requestId,
          });
          if (status === null || status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_WITHIN_MS);
      });
      // The process must stop even if the collector is down.
      await Promise.race([sdk.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}
