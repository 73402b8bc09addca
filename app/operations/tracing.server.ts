import type { IncomingHttpHeaders } from 'node:http';

/** The span of one request. */
export interface RequestTrace {
  /** For lines of the log. */
  ids: { traceId?: string };
  /** Runs it in a span of its own, below that of the request. */
  span<Result>(name: string, run: () => Promise<Result>): Promise<Result>;
  end(request: FinishedRequest): void;
}

/** What is known of a request when it is over. */
export interface FinishedRequest {
  method: string;
  /** A pattern. */
  route: string;
  /** Without the query. */
  path: string;
  /** null: it was cut off before there was an answer. */
  status: number | null;
  requestId: string;
}

/** Where requests spend their time, told to a collector. */
export interface Tracing {
  /** @param headers what may name the trace that this request belongs to; of a proxy of ours only. */
  startRequest(method: string, headers: IncomingHttpHeaders): RequestTrace;
  /** Sends what waits, for two seconds at most. */
  close(): Promise<void>;
}

const CLOSE_WITHIN_MS = 2000;
const SERVICE = 'latchkey';
/** The usual variables that say where traces go. */
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
 * OpenTelemetry, when its usual variables ask for it; else nothing is loaded. The SDK reads the rest
 * of them (`OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER`, headers, protocol) from the process itself.
 */
export async function startTracing(
  variables: Record<string, string | undefined>,
): Promise<Tracing> {
  return isAskedFor(variables) ? startSdk(variables) : noTracing;
}

function isAskedFor(variables: Record<string, string | undefined>): boolean {
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
    // Spans are made by hand. Metrics and logs have ways of their own: /metrics, standard output.
    instrumentations: [],
    metricReaders: [],
    logRecordProcessors: [],
    // The others would tell the collector of the command line, the user and the machine.
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
            // Its message may hold what does not belong into a trace.
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
      // A collector that is gone is no reason not to stop.
      await Promise.race([sdk.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}
