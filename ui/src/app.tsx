// Who is signed in, and which page they see.
import { Bullseye, Spinner } from '@patternfly/react-core';
import { createContext, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { BrowserRouter, Navigate, Route, Routes } from 'react-router-dom';
import * as cluster from './api/cluster';
import { EventsConnection } from './api/events';
import { onSignedOut } from './api/http';
import { loadRights } from './api/rights';
import { store } from './api/store';
import type { Session } from './model/types';
import { InventoryPage } from './pages/inventory';
import { MappingsPage } from './pages/mappings';
import { NotFoundPage } from './pages/not_found';
import { OverviewPage } from './pages/overview';
import { PlanPage } from './pages/plan';
import { PlansPage } from './pages/plans';
import { ProviderPage } from './pages/provider';
import { ProvidersPage } from './pages/providers';
import { SettingsPage } from './pages/settings';
import { SignInPage } from './pages/sign_in';
import { welcomeHidden, WelcomePage } from './pages/welcome';
import { PlanWizardPage } from './pages/plan_wizard/wizard';
import { Notices } from './parts/notices';
import { Shell } from './parts/shell';
import { texts } from './texts';

interface Console {
  session: Session;
  events: EventsConnection;
  signOut: () => void;
}

const ConsoleContext = createContext<Console | undefined>(undefined);

// What the pages below a signed-in shell share.
export function useConsole(): Console {
  return useContext(ConsoleContext)!;
}

type SignIn = { state: 'asking' } | { state: 'out'; expired: boolean } | { state: 'in'; session: Session };

export function App() {
  const [signIn, setSignIn] = useState<SignIn>({ state: 'asking' });
  const ended = useCallback(
    () => setSignIn((before) => ({ state: 'out', expired: before.state === 'in' || (before.state === 'out' && before.expired) })),
    [],
  );
  const events = useMemo(() => new EventsConnection(store, ended), [ended]);
  const enter = useCallback((session: Session) => {
    cluster.setNamespace(session.namespace);
    store.clear();
    loadRights();
    setSignIn({ state: 'in', session });
  }, []);

  useEffect(() => {
    onSignedOut(ended);
    const out = () => setSignIn({ state: 'out', expired: false });
    cluster.session().then((session) => (session ? enter(session) : out()), out);
  }, [ended, enter]);

  const signedIn = signIn.state === 'in';
  useEffect(() => {
    if (signedIn) events.start();
    else events.stop();
    return () => events.stop();
  }, [signedIn, events]);

  if (signIn.state === 'asking')
    return (
      <Bullseye>
        <Spinner aria-label={texts.common.loading} />
      </Bullseye>
    );
  if (signIn.state === 'out') return <SignInPage expired={signIn.expired} onSignedIn={enter} />;

  const leave = () => void cluster.signOut().finally(() => setSignIn({ state: 'out', expired: false }));
  return (
    <ConsoleContext.Provider value={{ session: signIn.session, events, signOut: leave }}>
      <Notices>
        <BrowserRouter>
          <Routes>
            <Route path="/welcome" element={<WelcomePage />} />
            <Route element={<Shell />}>
              <Route path="/" element={<Navigate to={welcomeHidden() ? '/plans' : '/welcome'} replace />} />
              <Route path="/overview" element={<OverviewPage />} />
              <Route path="/providers" element={<ProvidersPage />} />
              <Route path="/providers/:type" element={<ProvidersPage />} />
              <Route path="/providers/:type/:name" element={<ProviderPage />} />
              <Route path="/plans" element={<PlansPage />} />
              <Route path="/plans/create" element={<PlanWizardPage mode="create" />} />
              <Route path="/plans/:name" element={<PlanPage />} />
              <Route path="/plans/:name/edit" element={<PlanWizardPage mode="edit" />} />
              <Route path="/plans/:name/duplicate" element={<PlanWizardPage mode="duplicate" />} />
              <Route path="/inventory" element={<InventoryPage />} />
              <Route path="/inventory/:provider" element={<InventoryPage />} />
              <Route path="/inventory/:provider/:kind" element={<InventoryPage />} />
              <Route path="/mappings" element={<MappingsPage />} />
              <Route path="/mappings/:kind" element={<MappingsPage />} />
              <Route path="/settings" element={<SettingsPage />} />
              <Route path="*" element={<NotFoundPage />} />
            </Route>
          </Routes>
        </BrowserRouter>
      </Notices>
    </ConsoleContext.Provider>
  );
}
