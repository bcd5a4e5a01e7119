package mcpclient

import "context"

// Task asks how a task fares that a call has become: Result.Task says while it is not over (Result.Needs beside it
// when it waits for answers), or that it was cancelled; the result of the call otherwise. An unknown or forgotten
// task is ErrTaskGone. A task that failed is ErrTaskFailed, an *Error with the server's code, at StageResult and
// MaybeRun. After any other error the task may still be at work.
func (p *Pool) Task(ctx context.Context, t Target, id string) (res *Result, err error) {
	err = p.use(ctx, t, "task", func(ctx context.Context, s *session) error {
		res, err = s.task(ctx, id)
		return err
	})
	return res, err
}

// AnswerTask gives a task what it needs. The same answers may be given again.
func (p *Pool) AnswerTask(ctx context.Context, t Target, id string, g Given) error {
	responses, err := g.responses()
	if err != nil {
		return &Error{Op: "task", Server: t.Name, Ran: NotRun, Stage: StageSend, Err: err}
	}
	return p.use(ctx, t, "task", func(ctx context.Context, s *session) error {
		_, err := s.aboutTask(ctx, methodTaskUpdate, &taskParams{TaskID: id, InputResponses: responses})
		return err
	})
}

// CancelTask asks the server to give a task up; Task says whether it did.
func (p *Pool) CancelTask(ctx context.Context, t Target, id string) error {
	return p.use(ctx, t, "task", func(ctx context.Context, s *session) error {
		_, err := s.aboutTask(ctx, methodTaskCancel, &taskParams{TaskID: id})
		return err
	})
}
