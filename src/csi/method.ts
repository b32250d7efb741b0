/** One call of a service, in types: what the generated services are made of. */
export interface Method<Request, Response> {
  readonly request: Request;
  readonly response: Response;
}

export type RequestOf<M> = M extends Method<infer Request, unknown> ? Request : never;
export type ResponseOf<M> = M extends Method<unknown, infer Response> ? Response : never;
